#include "base/uuid.h"

#include "base/defs.h"

#include <openssl/evp.h>
#include <stdio.h>

/* Made once at random for this project; it never changes, or later passes would not know what
 * earlier ones wrote. */
static const uint8_t SPACE[16] = {0x5a, 0x0e, 0x6d, 0x31, 0x8c, 0x27, 0x4f, 0x9b, 0xa6, 0x42, 0xd3,
	0x71, 0xee, 0x90, 0x1b, 0xc5};

void pf_uuid5(const struct pf_span *names, size_t count, char out[PF_UUID_TEXT])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t d[EVP_MAX_MD_SIZE];
	int ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) == 1 &&
		 EVP_DigestUpdate(ctx, SPACE, sizeof(SPACE)) == 1;

	for (size_t i = 0; i < count && ok; i++) {
		ok = EVP_DigestUpdate(ctx, names[i].p, names[i].n) == 1;
	}
	pf_assert(ok && EVP_DigestFinal_ex(ctx, d, NULL) == 1);
	EVP_MD_CTX_free(ctx);
	d[6] = (uint8_t)((d[6] & 0x0f) | 0x50);
	d[8] = (uint8_t)((d[8] & 0x3f) | 0x80);
	(void)snprintf(out, PF_UUID_TEXT,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", d[0], d[1],
		d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13], d[14],
		d[15]);
}
