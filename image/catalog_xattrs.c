/* SPDX-License-Identifier: Apache-2.0 */
#include "image/catalog_xattrs.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hasher.h"
#include "image/catalog_format.h"

enum { FIRST_SLOTS = 64 };

int catalog_xattrs_encode(const struct entry *en, struct str *out, struct err *e)
{
	uint8_t head[CATALOG_XATTR_HEAD] = {0};

	str_truncate(out, 0);
	if (str_append(out, head, sizeof(head), e) < 0)
		return -1;
	for (size_t i = 0; i < en->xattr_count; i++) {
		const struct xattr *x = &en->xattrs[i];
		catalog_pack_xattr((uint32_t)x->name_len, (uint32_t)x->value_len, head);
		if (str_append(out, head, sizeof(head), e) < 0 ||
		    str_append(out, x->name, x->name_len, e) < 0 ||
		    (x->value_len > 0 && str_append(out, x->value, x->value_len, e) < 0))
			return -1;
	}
	catalog_pack_xattr((uint32_t)en->xattr_count, (uint32_t)(out->len - sizeof(head)), head);
	memcpy(out->data, head, sizeof(head));
	const size_t past = out->len % CATALOG_XATTR_UNIT;
	return past ? str_append_zeros(out, CATALOG_XATTR_UNIT - past, e) : 0;
}

/* The set's slot, or the empty one where it belongs. */
static uint32_t *find_slot(const struct catalog_xattrs *x, const uint8_t *sha256)
{
	size_t at;

	memcpy(&at, sha256, sizeof(at));
	for (;; at++) {
		uint32_t *slot = &x->slots[at & (x->slot_count - 1)];
		if (*slot == 0 || memcmp(x->sets[*slot - 1].sha256, sha256, DIGEST_SHA256_LEN) == 0)
			return slot;
	}
}

static int grow_slots(struct catalog_xattrs *x, struct err *e)
{
	const size_t count = x->slot_count ? 2 * x->slot_count : FIRST_SLOTS;
	uint32_t *slots = array_new(count, sizeof(*slots), e);

	if (!slots)
		return -1;
	free(x->slots);
	x->slots = slots;
	x->slot_count = count;
	for (size_t i = 0; i < x->count; i++)
		*find_slot(x, x->sets[i].sha256) = (uint32_t)i + 1;
	return 0;
}

static int append_set(struct catalog_xattrs *x, const struct digest *d, uint32_t inode,
		      struct err *e)
{
	const uint64_t unit = x->size / CATALOG_XATTR_UNIT;

	if (unit >= CATALOG_NONE)
		return err_set(e, ERR_LIMIT, "the image's xattrs need more than 32 GiB");
	if (array_reserve(&x->sets, &x->cap, x->count + 1, sizeof(*x->sets), e) < 0)
		return -1;
	struct catalog_xattr_set *set = &x->sets[x->count++];
	*set = (struct catalog_xattr_set){.unit = (uint32_t)unit, .inode = inode};
	memcpy(set->sha256, d->raw, DIGEST_SHA256_LEN);
	x->size += x->encoded.len;
	return 0;
}

int catalog_xattrs_add(struct catalog_xattrs *x, const struct entry *en, uint32_t inode,
		       uint32_t *unit, struct err *e)
{
	if (en->xattr_count == 0) {
		*unit = CATALOG_NONE;
		return 0;
	}
	if (2 * x->count >= x->slot_count && grow_slots(x, e) < 0)
		return -1;
	if (catalog_xattrs_encode(en, &x->encoded, e) < 0)
		return -1;
	const struct digest d = hasher_sha256(x->encoded.data, x->encoded.len);
	uint32_t *slot = find_slot(x, d.raw);
	if (*slot == 0) {
		if (append_set(x, &d, inode, e) < 0)
			return -1;
		*slot = (uint32_t)x->count;
	}
	*unit = x->sets[*slot - 1].unit;
	return 0;
}

void catalog_xattrs_fini(struct catalog_xattrs *x)
{
	free(x->sets);
	free(x->slots);
	str_fini(&x->encoded);
	*x = (struct catalog_xattrs){0};
}
