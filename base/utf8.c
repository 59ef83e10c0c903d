/* utf8.c -- text from outside.
 * SPDX-License-Identifier: MIT */
#include "base/utf8.h"

/* The second byte's range keeps out long forms, surrogates and what lies beyond U+10FFFF (The Unicode Standard, table
 * 3-7). */
size_t utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;
	unsigned char low = *s == 0xe0 ? 0xa0 : *s == 0xf0 ? 0x90 : 0x80;
	unsigned char high = *s == 0xed ? 0x9f : *s == 0xf4 ? 0x8f : 0xbf;
	for (size_t i = 1; i < len; i++) {
		if (s[i] < low || s[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return len;
}

bool utf8_printable(const char *s)
{
	while (*s) {
		size_t len = utf8_length(s);
		bool control = (unsigned char)*s < 0x20 || *s == 0x7f ||
			       ((unsigned char)*s == 0xc2 && (unsigned char)s[1] < 0xa0);
		if (!len || control)
			return false;
		s += len;
	}
	return true;
}
