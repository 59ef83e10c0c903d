/* format.c -- numbers and texts as people read them.
 * SPDX-License-Identifier: MIT */
#include "client/format.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

/* Three or four digits and a prefix; 999,960 is 1.00M, not 1000.0k. */
static const char *scaled(double x, const char *space, const char *unit, char buf[FORMAT_MAX])
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P" };
	size_t i = 0;
	if (!isfinite(x)) {
		snprintf(buf, FORMAT_MAX, "-");
		return buf;
	}
	if (fabs(x) < 999.5) {
		snprintf(buf, FORMAT_MAX, "%.0f%s%s", x, space, unit);
		return buf;
	}
	while (fabs(x) >= 999.95 && i + 1 < sizeof prefixes / sizeof *prefixes) {
		x /= 1000;
		i++;
	}
	snprintf(buf, FORMAT_MAX, "%.*f%s%s%s", fabs(x) < 9.995 ? 2 : 1, x, space, prefixes[i], unit);
	return buf;
}

static const char *fixed(double x, int decimals, const char *behind, char buf[FORMAT_MAX])
{
	if (isfinite(x) && fabs(x) < 1e15)
		snprintf(buf, FORMAT_MAX, "%.*f%s", decimals, x, behind);
	else
		snprintf(buf, FORMAT_MAX, "-");
	return buf;
}

const char *format_count(double x, char buf[FORMAT_MAX])
{
	return scaled(x, "", "", buf);
}

const char *format_bytes(double x, char buf[FORMAT_MAX])
{
	return scaled(x, " ", "B", buf);
}

const char *format_fraction(double x, char buf[FORMAT_MAX])
{
	return fixed(x, 4, "", buf);
}

const char *format_ratio(double x, char buf[FORMAT_MAX])
{
	return fixed(x, 2, "", buf);
}

const char *format_percent(double fraction, char buf[FORMAT_MAX])
{
	double percent = 100 * fraction;
	return fixed(percent > -0.05 && percent < 0 ? 0 : percent, 1, "%", buf);
}

const char *format_duration(double seconds, char buf[FORMAT_MAX])
{
	if (!isfinite(seconds) || seconds < 0 || seconds > 1e12) {
		snprintf(buf, FORMAT_MAX, "-");
		return buf;
	}
	if (seconds < 9.95) {
		bool short_one = seconds >= 0.0005 && seconds < 0.9995;
		snprintf(buf, FORMAT_MAX, short_one ? "%.0f ms" : "%.1fs", short_one ? 1000 * seconds : seconds);
		return buf;
	}
	long long s = llround(seconds);
	if (s < 60)
		snprintf(buf, FORMAT_MAX, "%llds", s);
	else if (s < 3600)
		snprintf(buf, FORMAT_MAX, "%lldm %02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, FORMAT_MAX, "%lldh %02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(buf, FORMAT_MAX, "%lldd %02lldh", s / 86400, s / 3600 % 24);
	return buf;
}

const char *format_time(double ms, char buf[FORMAT_MAX])
{
	struct tm tm;
	time_t t = isfinite(ms) && ms > 0 && ms < 1e15 ? (time_t)(ms / 1000) : 0;
	if (!t || !localtime_r(&t, &tm) || !strftime(buf, FORMAT_MAX, "%Y-%m-%d %H:%M", &tm))
		snprintf(buf, FORMAT_MAX, "-");
	return buf;
}

const char *format_metric(const char *metric, double x, char buf[FORMAT_MAX])
{
	if (!strcmp(metric, "params") || !strcmp(metric, "macs"))
		return format_count(x, buf);
	if (!strcmp(metric, "bytes") || !strcmp(metric, "memory"))
		return format_bytes(x, buf);
	return !strcmp(metric, "latency") ? format_ratio(x, buf) : format_fraction(x, buf);
}

/* Length of the well-formed UTF-8 character at s, its code point in *ret; 0 when there is none. */
static size_t decode(const char *s, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	size_t len = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
	if (!len)
		return 0;
	uint32_t c = len == 1 ? *p : *p & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return len;
}

/* Also the two characters that XML has no room for. */
static bool steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f || c == 0x2028 ||
		c == 0x2029 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfffe ||
		c == 0xffff;
}

const char *format_clean(const char *text, char *buf, size_t size)
{
	size_t used = 0;
	const char *s = text ? text : "-";
	while (*s) {
		uint32_t c;
		size_t len = decode(s, &c);
		bool blank = *s == '\n' || *s == '\t' || *s == '\r';
		bool bad = !len || steers(c);
		size_t add = bad ? 1 : len;
		if (used + add >= size)
			break;
		if (bad)
			buf[used] = blank ? ' ' : '?';
		else
			memcpy(buf + used, s, len);
		used += add;
		s += len ? len : 1;
	}
	buf[used] = '\0';
	return buf;
}

/* wcwidth knows only what the locale does; a character it does not know counts one column. */
static int columns_of(uint32_t c)
{
	int w = wcwidth((wchar_t)c);
	return w < 0 ? 1 : w;
}

size_t format_fit(const char *text, int columns)
{
	const char *s = text;
	while (*s) {
		uint32_t c = '?';
		size_t len = decode(s, &c);
		columns -= columns_of(c);
		if (columns < 0)
			break;
		s += len ? len : 1;
	}
	return (size_t)(s - text);
}

int format_width(const char *text)
{
	int width = 0;
	while (*text) {
		uint32_t c = '?';
		size_t len = decode(text, &c);
		width += columns_of(c);
		text += len ? len : 1;
	}
	return width;
}
