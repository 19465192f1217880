/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edit session in lockstep with the simplest file system that can be: a table of inodes, each
 * with its names and bytes in memory.  Results, errors and, now and then, all of the tree are
 * compared.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/array.h"
#include "fs/sample_session.h"
#include "fs/session_check.h"
#include "main.h"

enum {
	OPERATIONS = 20000,
	NODES_MAX = 40000,
	NAMES = 9,   /* that a directory can have: few, so that they meet */
	LINKS = 200, /* names of all directories together, at most */
	BYTES = 12 * 1024,
};

static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "n0", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "n0/n1", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "n0/n1/n2", .kind = ENTRY_REG, .mode = 0644, .size = 9000},
	{.path = "n0/n1/n3", .kind = ENTRY_SYMLINK, .mode = 0777, .link = "target"},
	{.path = "n0/n2", .kind = ENTRY_REG, .mode = 0644, .text = "text\n", .xattr = "v"},
	{.path = "n0/n3", .kind = ENTRY_HARDLINK, .link = "n0/n1/n2"},
	{.path = "n1", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "n1/n0", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "n2", .kind = ENTRY_REG, .mode = 0644},
	{.path = "n3", .kind = ENTRY_REG, .mode = 0644, .size = 4096},
};

struct node {
	uint64_t ino;
	uint32_t mode, nlink, uid;
	uint32_t size;
	uint8_t *bytes; /* BYTES of them, zeros behind the end */
	struct node *parent;
	struct node *children[NAMES];
	char xattr[8]; /* user.sample; "": none */
};

static struct node *root;
static struct node *nodes[NODES_MAX]; /* all that were made */
static size_t node_count;
static uint64_t rnd;

static uint32_t dice(uint32_t below)
{
	return sample_random(&rnd, below);
}

static const char *name_of(uint32_t n)
{
	static const char *const names[NAMES] = {"n0", "n1", "n2",     "n3", "n4",
						 "n5", "n6", ".wh.n0", "n8"};
	return names[n];
}

static struct node *make_node(uint64_t ino, uint32_t mode)
{
	struct node *n = calloc(1, sizeof(*n));

	ck_assert(n && node_count < NODES_MAX);
	n->ino = ino;
	n->mode = mode;
	n->nlink = S_ISDIR(mode) ? 2 : 1;
	n->bytes = S_ISREG(mode) ? calloc(1, BYTES) : NULL;
	n->size = S_ISLNK(mode) ? 6 : 0;
	nodes[node_count++] = n;
	return n;
}

/* From the table of the sample, whose names are n<digit>. */
static void load_base(void)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct sample_file *f = &files[i];
		const uint64_t ino = *f->path ? sample_ino(f->path) : SESSION_ROOT;
		struct node *dir = root, *n = NULL;
		const char *at = f->path;
		for (size_t k = 0; k < node_count; k++)
			n = nodes[k]->ino == ino ? nodes[k] : n;
		if (n) {
			n->nlink++;
		} else {
			n = make_node(ino, sample_stat(ino).st_mode);
			n->size = S_ISLNK(n->mode) ? 6 : f->text ? 5 : (uint32_t)f->size;
			for (uint32_t b = 0; n->bytes && b < n->size; b++)
				n->bytes[b] = sample_byte(f, b);
			snprintf(n->xattr, sizeof(n->xattr), "%s", f->xattr ? f->xattr : "");
		}
		if (!*f->path) {
			root = n;
			n->parent = n;
			continue;
		}
		for (; at[2] == '/'; at += 3)
			dir = dir->children[at[1] - '0'];
		dir->children[at[1] - '0'] = n;
		if (S_ISDIR(n->mode)) {
			n->parent = dir;
			dir->nlink++;
		}
	}
}

static bool is_empty(const struct node *dir)
{
	for (size_t i = 0; i < NAMES; i++)
		if (dir->children[i])
			return false;
	return true;
}

static bool is_inside(const struct node *dir, const struct node *outer)
{
	for (;; dir = dir->parent) {
		if (dir == outer)
			return true;
		if (dir == root)
			return false;
	}
}

/* A node that has a name; `is_dir`: a directory. */
static struct node *pick(bool is_dir)
{
	struct node *n = root;

	/* A walk down that may stop anywhere. */
	for (unsigned tries = 0; tries < 12; tries++) {
		struct node *c = n->children[dice(NAMES)];
		if (!c)
			continue;
		if (!S_ISDIR(c->mode)) {
			if (!is_dir && dice(2))
				return c;
			continue;
		}
		n = c;
		if (dice(3) == 0)
			break;
	}
	return n;
}

static bool is_refused(uint32_t name)
{
	return strncmp(name_of(name), ".wh.", 4) == 0;
}

static void drop(struct node *n)
{
	n->nlink = S_ISDIR(n->mode) ? 0 : n->nlink - 1;
}

static void compare(const char *what, int model, int r, struct err *e)
{
	const int error = sample_errno(r, e);

	if (error != model)
		ck_abort_msg("%s: the session says %d (%s), the model %d (%s)", what, error,
			     strerror(error), model, strerror(model));
}

static void do_create(void)
{
	static const uint32_t modes[] = {S_IFREG | 0644, S_IFREG | 0600, S_IFDIR | 0755,
					 S_IFDIR | 0700, S_IFLNK | 0777, S_IFIFO | 0600};
	struct node *dir = pick(dice(20) != 0);
	const uint32_t name = dice(NAMES), mode = modes[dice(ARRAY_LEN(modes))];
	const struct session_new what = {
		.name = name_of(name), .mode = mode, .target = S_ISLNK(mode) ? "target" : NULL};
	struct err e = ERR_INIT;
	uint64_t ino = 0;

	const int error = !S_ISDIR(dir->mode)   ? ENOTDIR
			  : is_refused(name)    ? EPERM
			  : dir->children[name] ? EEXIST
						: 0;
	const int r = session_create(sample_session, &sample_caller, dir->ino, &what, &ino, &e);
	compare("create", error, r, &e);
	if (error)
		return;
	for (size_t i = 0; i < node_count; i++)
		if (nodes[i]->ino == ino)
			ck_abort_msg("inode %llu was used before", (unsigned long long)ino);
	struct node *n = make_node(ino, mode);
	n->uid = sample_caller.uid;
	dir->children[name] = n;
	if (S_ISDIR(mode)) {
		n->parent = dir;
		dir->nlink++;
	}
}

static void do_link(void)
{
	struct node *dir = pick(true), *n = pick(false);
	const uint32_t name = dice(NAMES);
	struct err e = ERR_INIT;

	const int error = is_refused(name)      ? EPERM
			  : dir->children[name] ? EEXIST
			  : S_ISDIR(n->mode)    ? EPERM
						: 0;
	const int r =
		session_link(sample_session, &sample_caller, n->ino, dir->ino, name_of(name), &e);
	compare("link", error, r, &e);
	if (error)
		return;
	n->nlink++;
	dir->children[name] = n;
}

static void do_remove(void)
{
	struct node *dir = pick(true);
	const uint32_t name = dice(NAMES);
	struct node *n = dir->children[name];
	const bool is_dir = n && dice(5) ? S_ISDIR(n->mode) : dice(2);
	struct err e = ERR_INIT;

	const int error = !n                           ? ENOENT
			  : is_dir != S_ISDIR(n->mode) ? (is_dir ? ENOTDIR : EISDIR)
			  : is_dir && !is_empty(n)     ? ENOTEMPTY
						       : 0;
	const int r = (is_dir ? session_rmdir : session_unlink)(sample_session, &sample_caller,
								dir->ino, name_of(name), &e);
	compare(is_dir ? "rmdir" : "unlink", error, r, &e);
	if (error)
		return;
	dir->children[name] = NULL;
	dir->nlink -= is_dir;
	drop(n);
}

static int rename_error(const struct node *from_dir, const struct node *from,
			const struct node *to_dir, const struct node *to, unsigned flags)
{
	if (!from)
		return ENOENT;
	if (flags & RENAME_NOREPLACE && to)
		return EEXIST;
	if (S_ISDIR(from->mode) && is_inside(to_dir, from))
		return EINVAL;
	if (flags & RENAME_EXCHANGE) {
		if (!to)
			return ENOENT;
		return S_ISDIR(to->mode) && is_inside(from_dir, to) ? EINVAL : 0;
	}
	if (!to)
		return 0;
	if (S_ISDIR(from->mode) != S_ISDIR(to->mode))
		return S_ISDIR(to->mode) ? EISDIR : ENOTDIR;
	return S_ISDIR(to->mode) && !is_empty(to) ? ENOTEMPTY : 0;
}

static void reparent(struct node *n, struct node *from, struct node *to)
{
	if (!S_ISDIR(n->mode))
		return;
	from->nlink--;
	to->nlink++;
	n->parent = to;
}

static void do_rename(void)
{
	static const unsigned all_flags[] = {0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE};
	struct node *from_dir = pick(true), *to_dir = dice(2) ? from_dir : pick(true);
	const uint32_t from_name = dice(NAMES), to_name = dice(NAMES);
	struct node *from = from_dir->children[from_name], *to = to_dir->children[to_name];
	const unsigned flags = all_flags[dice(ARRAY_LEN(all_flags))];
	const struct session_move m = {from_dir->ino, name_of(from_name), to_dir->ino,
				       name_of(to_name), flags};
	struct err e = ERR_INIT;

	const int error =
		is_refused(to_name) ? EPERM : rename_error(from_dir, from, to_dir, to, flags);
	compare("rename", error, session_rename(sample_session, &sample_caller, &m, &e), &e);
	if (error || from == to)
		return;
	reparent(from, from_dir, to_dir);
	if (flags & RENAME_EXCHANGE) {
		reparent(to, to_dir, from_dir);
		from_dir->children[from_name] = to;
	} else {
		from_dir->children[from_name] = NULL;
		if (to) {
			to_dir->nlink -= S_ISDIR(to->mode);
			drop(to);
		}
	}
	to_dir->children[to_name] = from;
}

static void do_write(void)
{
	static uint8_t buf[5000];
	struct node *n = pick(false);
	const uint32_t at = dice(BYTES - (uint32_t)sizeof(buf));
	const uint32_t len = 1 + dice(dice(2) ? 20 : (uint32_t)sizeof(buf));
	struct err e = ERR_INIT;

	memset(buf, 1 + (int)dice(255), len);
	const int r = session_write(sample_session, &sample_caller, n->ino, at, buf, len, 0, &e);
	compare("write", S_ISREG(n->mode) ? 0 : EINVAL, r, &e);
	if (r < 0 || !n->bytes)
		return;
	memcpy(n->bytes + at, buf, len);
	n->size = at + len > n->size ? at + len : n->size;
}

static void do_setattr(void)
{
	struct node *n = pick(false);
	const struct stat st = {
		.st_mode = dice(2) ? 0750 : 0644, .st_uid = dice(3), .st_size = (off_t)dice(BYTES)};
	const unsigned set[] = {SESSION_SET_SIZE, SESSION_SET_MODE, SESSION_SET_UID};
	const unsigned what = set[dice(ARRAY_LEN(set))];
	struct err e = ERR_INIT;

	const int error = what != SESSION_SET_SIZE || S_ISREG(n->mode) ? 0
			  : S_ISDIR(n->mode)                           ? EISDIR
								       : EINVAL;
	const int r = session_setattr(sample_session, &sample_caller, n->ino, &st, what, &e);
	compare("setattr", error, r, &e);
	if (error)
		return;
	if (what == SESSION_SET_MODE)
		n->mode = (n->mode & S_IFMT) | st.st_mode;
	if (what == SESSION_SET_UID)
		n->uid = st.st_uid;
	if (what != SESSION_SET_SIZE)
		return;
	if (st.st_size < n->size)
		memset(n->bytes + st.st_size, 0, n->size - (size_t)st.st_size);
	n->size = (uint32_t)st.st_size;
}

static void do_xattr(void)
{
	static const char name[] = "user.sample";
	static const int all_flags[] = {0, XATTR_CREATE, XATTR_REPLACE};
	struct node *n = pick(false);
	struct err e = ERR_INIT;

	if (dice(3) == 0) {
		const int r = session_removexattr(sample_session, &sample_caller, n->ino, name, &e);
		compare("removexattr", n->xattr[0] ? 0 : ENODATA, r, &e);
		n->xattr[0] = '\0';
		return;
	}
	const int flags = all_flags[dice(ARRAY_LEN(all_flags))];
	const char value[2] = {(char)('a' + dice(20)), '\0'};
	const int error = flags == XATTR_CREATE && n->xattr[0]     ? EEXIST
			  : flags == XATTR_REPLACE && !n->xattr[0] ? ENODATA
								   : 0;
	const int r =
		session_setxattr(sample_session, &sample_caller, n->ino, name, value, 1, flags, &e);
	compare("setxattr", error, r, &e);
	if (!error)
		memcpy(n->xattr, value, sizeof(value));
}

static void check_node(const struct node *n)
{
	const struct stat st = sample_stat(n->ino);
	char value[16], target[LIMIT_SYMLINK + 1];
	struct err e = ERR_INIT;
	size_t len = 0;

	if (st.st_mode != n->mode || st.st_nlink != n->nlink || st.st_uid != n->uid)
		ck_abort_msg("inode %llu: mode %o nlink %u uid %u, not %o %u %u",
			     (unsigned long long)n->ino, st.st_mode, (unsigned)st.st_nlink,
			     st.st_uid, n->mode, n->nlink, n->uid);
	if (S_ISREG(n->mode))
		sample_check(n->ino, n->bytes, n->size);
	if (S_ISLNK(n->mode)) {
		ck_assert_int_eq(session_readlink(sample_session, n->ino, target, &e), 0);
		ck_assert_str_eq(target, "target");
	}
	const int found = session_getxattr(sample_session, n->ino, "user.sample", value,
					   sizeof(value) - 1, &len, &e);
	ck_assert_no_err(&e);
	ck_assert_int_eq(found, n->xattr[0] != '\0');
	value[len] = '\0';
	if (found)
		ck_assert_str_eq(value, n->xattr);
}

static void check_dir(const struct node *dir)
{
	bool seen[NAMES] = {false};
	struct session_dirent de;
	struct err e = ERR_INIT;
	uint64_t at = 0, ino = 0;

	while (session_readdir(sample_session, dir->ino, at, &de, &e) == 1) {
		at = de.next;
		if (strcmp(de.name, ".") == 0 || strcmp(de.name, "..") == 0)
			continue;
		const size_t n = (size_t)(de.name[1] - '0');
		if (n >= NAMES || seen[n] || !dir->children[n])
			ck_abort_msg("'%s' is listed", de.name);
		if (de.ino != dir->children[n]->ino || de.type != (dir->children[n]->mode & S_IFMT))
			ck_abort_msg("'%s' is inode %llu", de.name, (unsigned long long)de.ino);
		seen[n] = true;
	}
	ck_assert_no_err(&e);
	for (size_t i = 0; i < NAMES; i++)
		if (seen[i] != (dir->children[i] != NULL))
			ck_abort_msg("'%s' is not listed", name_of((uint32_t)i));
	ck_assert_int_eq(session_lookup(sample_session, dir->ino, "..", &ino, &e), 1);
	ck_assert_uint_eq(ino, dir->parent->ino);
}

static void check_tree(const struct node *n)
{
	check_node(n);
	if (!S_ISDIR(n->mode))
		return;
	check_dir(n);
	for (size_t i = 0; i < NAMES; i++)
		if (n->children[i])
			check_tree(n->children[i]);
}

static void check_all(void)
{
	struct err e = ERR_INIT;

	check_tree(root);
	session_check(sample_session, NULL, &e);
	ck_assert_no_err(&e);
}

/* Names in all; a tree that only grows meets nothing after a while. */
static unsigned count_names(const struct node *dir)
{
	unsigned count = 0;

	for (size_t i = 0; i < NAMES; i++) {
		const struct node *c = dir->children[i];
		count += c ? 1 + (S_ISDIR(c->mode) ? count_names(c) : 0) : 0;
	}
	return count;
}

static void step(bool is_full)
{
	switch (dice(12)) {
	case 0:
	case 1:
	case 2:
		if (!is_full)
			do_create();
		else
			do_remove();
		break;
	case 3:
		if (!is_full)
			do_link();
		break;
	case 4:
	case 5:
		do_remove();
		break;
	case 6:
	case 7:
		do_rename();
		break;
	case 8:
	case 9:
		do_write();
		break;
	case 10:
		do_setattr();
		break;
	default:
		do_xattr();
	}
}

static void free_nodes(void)
{
	for (size_t i = 0; i < node_count; i++) {
		free(nodes[i]->bytes);
		free(nodes[i]);
	}
}

START_TEST(random_operations_give_what_the_model_gives)
{
	struct err e = ERR_INIT;
	bool is_full = false;

	rnd = 0x51ed270b + (uint64_t)_i * 7919;
	load_base();
	check_all();
	for (unsigned i = 0; i < OPERATIONS; i++) {
		step(is_full);
		if (i % 50 == 0)
			is_full = count_names(root) > LINKS;
		if (i % 500 == 0)
			check_all();
		if (i % 1000 == 999) {
			session_sync(sample_session, &e);
			ck_assert_no_err(&e);
		}
		if (i % 4000 == 3999) {
			sample_session_reopen(i % 8000 == 7999 ? SESSION_TAKE_OVER : 0);
			check_all();
		}
	}
	check_all();
	ck_assert_uint_gt(node_count, OPERATIONS / 50);
	free_nodes();
}
END_TEST

static void setup(void)
{
	sample_session_make(files, ARRAY_LEN(files));
}

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/session_model");
	TCase *tc = tcase_create("model");

	tcase_add_checked_fixture(tc, setup, sample_session_remove);
	tcase_set_timeout(tc, 200);
	tcase_add_loop_test(tc, random_operations_give_what_the_model_gives, 0, UNIT_LOOPS(4));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
