/* route.c -- which handler answers which method and path.
 * SPDX-License-Identifier: MIT */
#include "daemon/route.h"

#include <stdio.h>
#include <string.h>

/* Up to 15 digits, no sign and no leading zero unless it is the whole; returns how many. */
static size_t read_integer(const char *s, int64_t *ret)
{
	size_t n = strspn(s, "0123456789");
	if (n == 0 || n > 15 || (s[0] == '0' && n > 1))
		return 0;
	*ret = 0;
	for (size_t i = 0; i < n; i++)
		*ret = *ret * 10 + (s[i] - '0');
	return n;
}

static bool match_id(const char *s, size_t len, struct route_args *args)
{
	return read_integer(s, &args->id) == len && args->id > 0;
}

static bool match_trial(const char *s, size_t len, struct route_args *args)
{
	size_t n = read_integer(s, &args->id);
	if (n == 0 || args->id == 0 || s[n] != '.')
		return false;
	size_t m = read_integer(s + n + 1, &args->number);
	return m > 0 && n + 1 + m == len;
}

static bool match_digest(const char *s, size_t len, struct route_args *args)
{
	if (len == 0 || len > DIGEST_HEX)
		return false;
	memcpy(args->word, s, len);
	args->word[len] = '\0';
	return true;
}

static bool match_braces(const char *name, const char *s, size_t len, struct route_args *args)
{
	static const struct {
		const char *name;
		bool (*match)(const char *s, size_t len, struct route_args *args);
	} kinds[] = {
		{ "{id}", match_id },
		{ "{trial}", match_trial },
		{ "{digest}", match_digest },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strncmp(name, kinds[i].name, strlen(kinds[i].name)))
			return kinds[i].match(s, len, args);
	return false;
}

static bool match(const char *pattern, const char *path, struct route_args *args)
{
	while (*pattern && *path) {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		size_t len = strcspn(path, "/");
		if (!match_braces(pattern, path, len, args))
			return false;
		path += len;
		pattern += strcspn(pattern, "}") + 1;
	}
	return !*pattern && !*path;
}

static void allow(char allowed[64], const char *method)
{
	size_t used = strlen(allowed);
	snprintf(allowed + used, 64 - used, "%s%s", used ? ", " : "", method);
	if (!strcmp(method, "GET"))
		allow(allowed, "HEAD");
}

enum route_match route_find(const struct route *table, size_t n, const char *method, const char *path,
	const struct route **ret, struct route_args *ret_args, char ret_allowed[64])
{
	const char *wanted = strcmp(method, "HEAD") ? method : "GET";
	ret_allowed[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		struct route_args args = { 0 };
		if (!match(table[i].pattern, path, &args))
			continue;
		if (strcmp(table[i].method, wanted)) {
			allow(ret_allowed, table[i].method);
			continue;
		}
		*ret = &table[i];
		*ret_args = args;
		return ROUTE_FOUND;
	}
	return *ret_allowed ? ROUTE_NO_METHOD : ROUTE_NO_PATH;
}
