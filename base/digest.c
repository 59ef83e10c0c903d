/* digest.c -- SHA-256, the name of a blob (libcrypto's).
 * SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct digest {
	EVP_MD_CTX *ctx;
};

struct digest *digest_new(void)
{
	struct digest *d = malloc(sizeof *d);
	if (!d)
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1) {
		digest_free(d);
		return NULL;
	}
	return d;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void digest_update(struct digest *d, const void *data, size_t len)
{
	EVP_DigestUpdate(d->ctx, data, len);
}

void digest_final(struct digest *d, char ret_hex[DIGEST_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE] = { 0 };
	EVP_DigestFinal_ex(d->ctx, raw, NULL);
	for (int i = 0; i < DIGEST_HEX / 2; i++) {
		ret_hex[2 * i] = digits[raw[i] >> 4];
		ret_hex[2 * i + 1] = digits[raw[i] & 15];
	}
	ret_hex[DIGEST_HEX] = '\0';
}

enum err digest_bytes(const void *data, size_t len, char ret_hex[DIGEST_HEX + 1], struct errinfo *e)
{
	struct digest *d = digest_new();
	if (!d)
		return err_set(e, ERR_MEMORY, "out of memory");
	digest_update(d, data, len);
	digest_final(d, ret_hex);
	digest_free(d);
	return ERR_OK;
}

enum err digest_file(const char *path, char ret_hex[DIGEST_HEX + 1], struct errinfo *e)
{
	enum err err = ERR_OK;
	struct digest *d = NULL;
	FILE *f = fopen(path, "rb");
	if (!f)
		return err_errno(e, "%s", path);
	d = digest_new();
	if (!d) {
		err = err_set(e, ERR_MEMORY, "out of memory");
		goto out;
	}
	unsigned char chunk[65536];
	size_t n;
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		digest_update(d, chunk, n);
	if (ferror(f)) {
		err = err_errno(e, "%s", path);
		goto out;
	}
	digest_final(d, ret_hex);
out:
	digest_free(d);
	fclose(f);
	return err;
}

bool digest_valid(const char *hex)
{
	return hex && strlen(hex) == DIGEST_HEX && strspn(hex, "0123456789abcdef") == DIGEST_HEX;
}
