/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/copy_key.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hasher.h"
#include "packer/archives.h"
#include "packer/copy_list.h"

enum {
	NANOSECONDS = 1000000000,
	/* The kernel stamps files by its tick, 10 ms at most; ten of them, for a virtual machine
	   that stands still now and then. */
	TICKS_NS = 100 * 1000 * 1000,
	/* A time without nanoseconds is of a file system that keeps none: FAT counts in 2 s. */
	COARSE_S = 2,
};

/* statfs(2): those whose ctime is the kernel's own. */
static bool has_honest_times(long type)
{
	static const long known[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC,
				     TMPFS_MAGIC,      F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (type == known[i])
			return true;
	}
	return false;
}

static void add_bytes(struct hasher *h, const void *bytes, size_t len)
{
	const uint64_t count = len;

	hasher_update(h, &count, sizeof(count));
	hasher_update(h, bytes, len);
}

static void add_text(struct hasher *h, const char *text)
{
	add_bytes(h, text ? text : "", text ? strlen(text) : 0);
}

static void add_numbers(struct hasher *h, const uint64_t *numbers, size_t count)
{
	hasher_update(h, numbers, count * sizeof(*numbers));
}

/* What stands for the content of a file. */
static void add_stamp(struct hasher *h, const struct stamp *s)
{
	const uint64_t content[] = {
		s->dev,
		s->ino,
		(uint64_t)s->size,
		(uint64_t)s->modified.tv_sec,
		(uint64_t)s->modified.tv_nsec,
		(uint64_t)s->changed.tv_sec,
		(uint64_t)s->changed.tv_nsec,
	};
	add_numbers(h, content, ARRAY_LEN(content));
}

/* Never on the way of bytes that anybody else reads: the machine's order of bytes will do. */
static void add_item(struct hasher *h, const struct copy_item *item)
{
	const uint64_t says[] = {
		item->origin,    item->kind, item->mode,    item->owner.uid,
		item->owner.gid, item->size, item->archive, item->node,
	};

	add_text(h, item->path);
	add_text(h, item->target);
	add_numbers(h, says, ARRAY_LEN(says));
	if (item->origin == ITEM_TEXT)
		add_text(h, item->source);
	if (item->origin == ITEM_CONTEXT && item->kind == ENTRY_REG)
		add_stamp(h, &item->seen);
}

struct digest copy_key(const struct copy_list *l, int64_t epoch,
		       const struct compression *compression)
{
	const uint64_t says[] = {(uint64_t)epoch, compression->encoding,
				 (uint64_t)compression->level, l->count, l->archive_count};
	struct hasher h;

	hasher_init(&h, DIGEST_SHA256);
	add_text(&h, SHALE_VERSION);
	add_text(&h, compression_version(compression));
	add_numbers(&h, says, ARRAY_LEN(says));
	for (size_t i = 0; i < l->archive_count; i++)
		add_stamp(&h, &l->archives[i]->file);
	for (size_t i = 0; i < l->count; i++)
		add_item(&h, &l->items[i]);
	return hasher_final(&h);
}

bool copy_key_lasts(const struct copy_list *l, const struct context *c)
{
	dev_t device;
	long type;

	if (l->archive_count || !context_where(c, &device, &type) || !has_honest_times(type))
		return false;
	for (size_t i = 0; i < l->count; i++) {
		const struct copy_item *item = &l->items[i];
		if (item->origin == ITEM_CONTEXT && item->kind == ENTRY_REG &&
		    item->seen.dev != device)
			return false;
	}
	return true;
}

/* Whether `since` is so late after `changed` that a change from then on has another time. */
static bool is_settled(const struct timespec *changed, const struct timespec *since)
{
	const int64_t seconds = (int64_t)since->tv_sec - changed->tv_sec;

	if (changed->tv_nsec == 0)
		return seconds > COARSE_S;
	return seconds > 1 ||
	       (seconds >= 0 &&
		seconds * NANOSECONDS + since->tv_nsec - changed->tv_nsec > TICKS_NS);
}

bool copy_key_holds(const struct copy_list *l, const struct timespec *since)
{
	for (size_t i = 0; i < l->count && !l->has_changed; i++) {
		const struct copy_item *item = &l->items[i];
		if (item->origin == ITEM_CONTEXT && item->kind == ENTRY_REG &&
		    !is_settled(&item->seen.changed, since))
			return false;
	}
	return !l->has_changed;
}
