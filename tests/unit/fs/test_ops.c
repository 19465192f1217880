/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests as the kernel writes them to /dev/fuse, and some that it never would, answered without a
 * kernel.
 */
#include "fs/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/io.h"
#include "fs/fuse_wire.h"
#include "fs/sample_image.h"
#include "main.h"
#include "tests/support/scratch.h"

enum {
	BODY_MAX = 4096, /* of a request; zeros behind what is used, for whoever reads on */
	REPLY_MAX = 2 * 1024 * 1024,
	MANY = 3000, /* names: the catalog has blocks that opening it does not touch */
};

static const struct sample_file files[] = {
	{.path = "", .kind = ENTRY_DIR, .mode = 0755},
	{.path = "dir", .kind = ENTRY_DIR, .mode = 0700},
	{.path = "dir/small", .kind = ENTRY_REG, .mode = 0644, .text = "small text\n"},
	{.path = "link", .kind = ENTRY_SYMLINK, .mode = 0777, .link = "dir/small"},
	{.path = "noted", .kind = ENTRY_REG, .mode = 0600, .text = "x", .xattr = "value"},
};

static struct view *view;
static struct fuse_session *session;
static struct ops_context context;
static char no_number[1]; /* of a device: it is not to be tuned */
static uint64_t unique;

/* The last reply. */
static struct {
	unsigned count;
	struct wire_out_header head;
	uint8_t body[REPLY_MAX];
	size_t body_len;
} reply;

static ssize_t take_reply(int fd, struct iovec *iov, int count, void *userdata)
{
	size_t total = 0;

	(void)fd;
	(void)userdata;
	reply.count++;
	reply.body_len = 0;
	ck_assert_int_ge(count, 1);
	ck_assert_uint_eq(iov[0].iov_len, sizeof(reply.head));
	memcpy(&reply.head, iov[0].iov_base, sizeof(reply.head));
	for (int i = 0; i < count; i++) {
		total += iov[i].iov_len;
		if (i == 0)
			continue;
		ck_assert_uint_le(iov[i].iov_len, REPLY_MAX - reply.body_len);
		memcpy(reply.body + reply.body_len, iov[i].iov_base, iov[i].iov_len);
		reply.body_len += iov[i].iov_len;
	}
	ck_assert_uint_eq(reply.head.len, total);
	return (ssize_t)total;
}

static ssize_t no_read(int fd, void *buf, size_t len, void *userdata)
{
	(void)fd;
	(void)buf;
	(void)len;
	(void)userdata;
	errno = ENODEV;
	return -1;
}

/* One request: how many replies it got. */
static unsigned ask(uint32_t opcode, uint64_t node, const void *body, size_t len)
{
	static _Alignas(8) uint8_t bytes[sizeof(struct wire_in_header) + BODY_MAX];
	const struct wire_in_header head = {
		.len = (uint32_t)(sizeof(head) + len),
		.opcode = opcode,
		.unique = ++unique,
		.nodeid = node,
	};

	ck_assert_uint_le(len, BODY_MAX);
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, &head, sizeof(head));
	if (len)
		memcpy(bytes + sizeof(head), body, len);
	reply.count = 0;
	fuse_session_process_buf(session, &(struct fuse_buf){.mem = bytes, .size = head.len});
	if (reply.count)
		ck_assert_uint_eq(reply.head.unique, unique);
	return reply.count;
}

/* The error of the one reply; 0: it is an answer, in `reply`. */
static int error_of(uint32_t opcode, uint64_t node, const void *body, size_t len)
{
	ck_assert_uint_eq(ask(opcode, node, body, len), 1);
	return -reply.head.error;
}

static int error_of_name(uint32_t opcode, uint64_t node, const char *name)
{
	return error_of(opcode, node, name, strlen(name) + 1);
}

static int init_with(uint32_t major, uint32_t minor, uint32_t flags, uint32_t readahead)
{
	const struct wire_init_in in = {
		.major = major, .minor = minor, .max_readahead = readahead, .flags = flags};

	return error_of(WIRE_INIT, 0, &in, sizeof(in));
}

static void open_session(void)
{
	static const struct fuse_custom_io io = {.writev = take_reply, .read = no_read};
	char name[] = "test";
	char *argv[] = {name, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);

	context = (struct ops_context){.view = view, .device_number = no_number};
	session = fuse_session_new(&args, &ops_readonly, sizeof(ops_readonly), &context);
	ck_assert_ptr_nonnull(session);
	/* A descriptor that nobody uses. */
	ck_assert_int_eq(
		fuse_session_custom_io(session, &io, open("/dev/null", O_RDWR | O_CLOEXEC)), 0);
	fuse_opt_free_args(&args);
}

static void setup(void)
{
	sample_image_make(files, ARRAY_LEN(files));
	view = sample_view(VIEW_CACHE_MIN);
	open_session();
}

static void setup_connection(void)
{
	setup();
	ck_assert_int_eq(init_with(WIRE_MAJOR, WIRE_MINOR, UINT32_MAX & ~WIRE_INIT_EXT, 128 * 1024),
			 0);
}

static void teardown(void)
{
	fuse_session_destroy(session);
	view_close(view);
	sample_image_remove();
}

static uint64_t node_of(const char *path)
{
	struct err e = ERR_INIT;
	uint32_t inode = UINT32_MAX;

	ck_assert_int_eq(catalog_resolve(view_catalog(view), path, false, &inode, &e), 1);
	return (uint64_t)inode + 1;
}

/* Parallel lookups are asked for, too, but libfuse 3.14.0 does not pass that on. */
START_TEST(asks_the_kernel_to_keep_what_never_changes)
{
	static const uint32_t wanted = WIRE_ASYNC_READ | WIRE_DO_READDIRPLUS | WIRE_CACHE_SYMLINKS |
				       WIRE_EXPORT_SUPPORT | WIRE_ASYNC_DIO;
	static const uint32_t unwanted = WIRE_AUTO_INVAL_DATA | WIRE_ATOMIC_O_TRUNC |
					 WIRE_WRITEBACK_CACHE | WIRE_POSIX_ACL |
					 WIRE_HANDLE_KILLPRIV | WIRE_POSIX_LOCKS | WIRE_FLOCK_LOCKS;
	struct wire_init_out out;

	ck_assert_int_eq(init_with(WIRE_MAJOR, WIRE_MINOR, UINT32_MAX & ~WIRE_INIT_EXT, 128 * 1024),
			 0);
	memcpy(&out, reply.body, sizeof(out));
	ck_assert_uint_eq(out.flags & wanted, wanted);
	ck_assert_uint_eq(out.flags & unwanted, 0);
	ck_assert_uint_eq(out.max_readahead, 128 * 1024);
	ck_assert_uint_eq(out.max_background, 64);
	ck_assert_uint_eq(out.congestion_threshold, 48);
	ck_assert_uint_eq(out.time_gran, 1);
	/* Neither is ever opened again. */
	ck_assert_int_eq(error_of(WIRE_OPEN, node_of("/dir/small"), &(struct wire_open_in){0},
				  sizeof(struct wire_open_in)),
			 ENOSYS);
	ck_assert_int_eq(error_of(WIRE_OPENDIR, WIRE_ROOT, &(struct wire_open_in){0},
				  sizeof(struct wire_open_in)),
			 ENOSYS);
}
END_TEST

static const struct {
	uint32_t major, minor, flags, readahead;
	int error;
} kernels[] = {
	{7, WIRE_MINOR, 0, 0, 0},
	{7, WIRE_MINOR, UINT32_MAX, UINT32_MAX, 0},
	{7, UINT32_MAX, WIRE_INIT_EXT, 1, 0},
	{7, 23, 0, 4096, 0},
	{8, 0, 0, 0, 0}, /* is told our version, and asks again */
	{6, 40, 0, 0, EPROTO},
	{0, 0, 0, 0, EPROTO},
};

START_TEST(takes_odd_kernels)
{
	ck_assert_int_eq(init_with(kernels[_i].major, kernels[_i].minor, kernels[_i].flags,
				   kernels[_i].readahead),
			 kernels[_i].error);
	if (kernels[_i].error || kernels[_i].major != WIRE_MAJOR)
		return;
	ck_assert_int_eq(error_of(WIRE_GETATTR, WIRE_ROOT, &(struct wire_getattr_in){0},
				  sizeof(struct wire_getattr_in)),
			 0);
}
END_TEST

START_TEST(keeps_answers_for_a_day)
{
	struct wire_entry_out entry;
	struct wire_attr_out attr;

	ck_assert_int_eq(error_of_name(WIRE_LOOKUP, WIRE_ROOT, "dir"), 0);
	memcpy(&entry, reply.body, sizeof(entry));
	ck_assert_uint_eq(entry.nodeid, node_of("/dir"));
	ck_assert_uint_eq(entry.attr.ino, entry.nodeid);
	ck_assert_uint_eq(entry.attr.mode, S_IFDIR | 0700);
	ck_assert_uint_eq(entry.entry_valid, 86400);
	ck_assert_uint_eq(entry.attr_valid, 86400);
	/* A name that is not there is an answer, too. */
	ck_assert_int_eq(error_of_name(WIRE_LOOKUP, WIRE_ROOT, "none"), 0);
	memcpy(&entry, reply.body, sizeof(entry));
	ck_assert_uint_eq(entry.nodeid, 0);
	ck_assert_uint_eq(entry.entry_valid, 86400);
	ck_assert_int_eq(error_of(WIRE_GETATTR, node_of("/noted"), &(struct wire_getattr_in){0},
				  sizeof(struct wire_getattr_in)),
			 0);
	memcpy(&attr, reply.body, sizeof(attr));
	ck_assert_uint_eq(attr.attr_valid, 86400);
	ck_assert_uint_eq(attr.attr.size, 1);
}
END_TEST

START_TEST(finds_a_node_by_itself)
{
	struct wire_entry_out entry;

	ck_assert_int_eq(error_of_name(WIRE_LOOKUP, node_of("/dir"), "."), 0);
	memcpy(&entry, reply.body, sizeof(entry));
	ck_assert_uint_eq(entry.nodeid, node_of("/dir"));
	ck_assert_int_eq(error_of_name(WIRE_LOOKUP, node_of("/dir"), ".."), 0);
	memcpy(&entry, reply.body, sizeof(entry));
	ck_assert_uint_eq(entry.nodeid, WIRE_ROOT);
	/* A file that open_by_handle_at(2) asks for. */
	ck_assert_int_eq(error_of_name(WIRE_LOOKUP, node_of("/noted"), "."), 0);
	memcpy(&entry, reply.body, sizeof(entry));
	ck_assert_uint_eq(entry.nodeid, node_of("/noted"));
}
END_TEST

static const uint64_t unknown_nodes[] = {
	0,          1000, UINT32_MAX, UINT64_C(1) << 32, (UINT64_C(1) << 32) + 1, UINT64_C(1) << 63,
	UINT64_MAX,
};

/* All that is asked of a node, which is none. */
START_TEST(knows_no_other_nodes)
{
	const uint64_t node = unknown_nodes[_i];
	const struct wire_read_in read = {.size = 4096};
	const struct wire_lseek_in lseek = {.whence = SEEK_DATA};
	struct {
		struct wire_getxattr_in in;
		char name[16];
	} xattr = {{.size = 100}, "user.sample"};

	ck_assert_int_eq(error_of_name(WIRE_LOOKUP, node, "dir"), ESTALE);
	ck_assert_int_eq(error_of_name(WIRE_LOOKUP, node, "."), ESTALE);
	ck_assert_int_eq(error_of_name(WIRE_LOOKUP, node, ".."), ESTALE);
	ck_assert_int_eq(error_of(WIRE_GETATTR, node, &(struct wire_getattr_in){0},
				  sizeof(struct wire_getattr_in)),
			 ESTALE);
	ck_assert_int_eq(error_of(WIRE_READLINK, node, NULL, 0), ESTALE);
	ck_assert_int_eq(error_of(WIRE_READ, node, &read, sizeof(read)), ESTALE);
	ck_assert_int_eq(error_of(WIRE_READDIR, node, &read, sizeof(read)), ESTALE);
	ck_assert_int_eq(error_of(WIRE_READDIRPLUS, node, &read, sizeof(read)), ESTALE);
	ck_assert_int_eq(error_of(WIRE_LSEEK, node, &lseek, sizeof(lseek)), ESTALE);
	ck_assert_int_eq(error_of(WIRE_GETXATTR, node, &xattr, sizeof(xattr)), ESTALE);
	ck_assert_int_eq(error_of(WIRE_LISTXATTR, node, &xattr.in, sizeof(xattr.in)), ESTALE);
}
END_TEST

START_TEST(refuses_names_that_are_too_long)
{
	char name[BODY_MAX];

	for (size_t len = LIMIT_NAME; len < sizeof(name); len += 640) {
		memset(name, 'n', len);
		name[len] = '\0';
		ck_assert_int_eq(error_of_name(WIRE_LOOKUP, WIRE_ROOT, name),
				 len > LIMIT_NAME ? ENAMETOOLONG : 0);
	}
	ck_assert_int_eq(error_of_name(WIRE_LOOKUP, WIRE_ROOT, ""), 0);
	ck_assert_int_eq(error_of_name(WIRE_LOOKUP, node_of("/noted"), "x"), ENOTDIR);
}
END_TEST

static const struct {
	uint64_t offset;
	uint32_t size;
	size_t len;
} reads[] = {
	{0, 0, 0},        {0, 1, 1},         {0, 4096, 11}, {6, 5, 5},
	{6, 6, 5},        {11, 1, 0},        {12, 100, 0},  {UINT64_C(1) << 62, 4096, 0},
	{10, 1 << 20, 1}, {INT64_MAX, 1, 0},
};

START_TEST(reads_up_to_the_end)
{
	const struct wire_read_in in = {.offset = reads[_i].offset, .size = reads[_i].size};

	ck_assert_int_eq(error_of(WIRE_READ, node_of("/dir/small"), &in, sizeof(in)), 0);
	ck_assert_uint_eq(reply.body_len, reads[_i].len);
	if (reads[_i].len)
		ck_assert_mem_eq(reply.body, &"small text\n"[reads[_i].offset], reads[_i].len);
}
END_TEST

/* An empty answer says that the directory ends, so one without room is none. */
START_TEST(lists_with_any_room)
{
	static const uint32_t opcodes[] = {WIRE_READDIR, WIRE_READDIRPLUS};
	const uint32_t opcode = opcodes[_i];
	const uint32_t least = opcode == WIRE_READDIR ? 32 : 160;

	for (uint32_t size = 0; size < least; size++) {
		const struct wire_read_in in = {.size = size};
		ck_assert_int_eq(error_of(opcode, WIRE_ROOT, &in, sizeof(in)), EINVAL);
	}
	unsigned asked = 0;
	for (uint64_t at = 0;; at++) {
		const struct wire_read_in in = {.offset = at, .size = least};
		ck_assert_int_eq(error_of(opcode, WIRE_ROOT, &in, sizeof(in)), 0);
		if (!reply.body_len)
			break;
		asked++;
	}
	ck_assert_uint_eq(asked, 2 + 3); /* ".", ".." and the files of the root */
	const struct wire_read_in all = {.size = UINT32_MAX};
	ck_assert_int_eq(error_of(opcode, WIRE_ROOT, &all, sizeof(all)), 0);
	ck_assert_uint_gt(reply.body_len, 4 * least);
	const struct wire_read_in behind = {.offset = INT64_MAX, .size = 4096};
	ck_assert_int_eq(error_of(opcode, WIRE_ROOT, &behind, sizeof(behind)), 0);
	ck_assert_uint_eq(reply.body_len, 0);
	const struct wire_read_in before = {.offset = UINT64_MAX, .size = 4096};
	ck_assert_int_eq(error_of(opcode, WIRE_ROOT, &before, sizeof(before)), EINVAL);
	ck_assert_int_eq(error_of(opcode, node_of("/noted"), &all, sizeof(all)), ENOTDIR);
}
END_TEST

START_TEST(seeks_only_data_and_holes)
{
	for (uint32_t whence = 0; whence < 8; whence++) {
		const struct wire_lseek_in in = {.whence = whence};
		ck_assert_int_eq(error_of(WIRE_LSEEK, node_of("/noted"), &in, sizeof(in)),
				 whence == SEEK_DATA || whence == SEEK_HOLE ? 0 : EINVAL);
	}
	const struct wire_lseek_in negative = {.offset = UINT64_MAX, .whence = SEEK_DATA};
	ck_assert_int_eq(error_of(WIRE_LSEEK, node_of("/noted"), &negative, sizeof(negative)),
			 ENXIO);
	const struct wire_lseek_in end = {.offset = 1, .whence = SEEK_HOLE};
	ck_assert_int_eq(error_of(WIRE_LSEEK, node_of("/noted"), &end, sizeof(end)), ENXIO);
}
END_TEST

static const struct {
	const char *name;
	uint32_t size;
	int error;
} xattrs[] = {
	{"user.sample", 0, 0},
	{"user.sample", 4, ERANGE},
	{"user.sample", 5, 0},
	{"user.sample", 65536, 0},
	{"user.none", 100, ENODATA},
	{"", 100, ENODATA},
	{"security.capability", 20, ENODATA},
};

START_TEST(gives_xattrs_that_fit)
{
	struct {
		struct wire_getxattr_in in;
		char name[64];
	} body = {.in = {.size = xattrs[_i].size}};

	snprintf(body.name, sizeof(body.name), "%s", xattrs[_i].name);
	ck_assert_int_eq(error_of(WIRE_GETXATTR, node_of("/noted"), &body, sizeof(body)),
			 xattrs[_i].error);
	if (!xattrs[_i].error && xattrs[_i].size) {
		ck_assert_uint_eq(reply.body_len, 5);
		ck_assert_mem_eq(reply.body, "value", 5);
	}
	body.in.size = 11;
	ck_assert_int_eq(error_of(WIRE_LISTXATTR, node_of("/noted"), &body.in, sizeof(body.in)),
			 ERANGE);
	body.in.size = 12;
	ck_assert_int_eq(error_of(WIRE_LISTXATTR, node_of("/noted"), &body.in, sizeof(body.in)), 0);
	ck_assert_mem_eq(reply.body, "user.sample", 12);
}
END_TEST

/* There are no references to count: whatever is forgotten, all nodes stay. */
START_TEST(forgets_nothing)
{
	const struct wire_forget_in all = {.nlookup = UINT64_MAX};
	struct {
		struct wire_batch_forget_in in;
		struct wire_forget_one items[3];
	} batch = {{.count = 3}, {{1, UINT64_MAX}, {2, 1}, {UINT64_MAX, 7}}};

	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(ask(WIRE_FORGET, WIRE_ROOT, &all, sizeof(all)), 0);
		ck_assert_uint_eq(ask(WIRE_FORGET, UINT64_MAX, &all, sizeof(all)), 0);
		ck_assert_uint_eq(ask(WIRE_BATCH_FORGET, 0, &batch, sizeof(batch)), 0);
	}
	ck_assert_int_eq(error_of_name(WIRE_LOOKUP, WIRE_ROOT, "dir"), 0);
	ck_assert_int_eq(error_of_name(WIRE_LOOKUP, node_of("/dir"), "small"), 0);
}
END_TEST

START_TEST(has_no_operation_that_writes)
{
	static const uint32_t opcodes[] = {
		WIRE_SETATTR, WIRE_SYMLINK, WIRE_MKNOD,       WIRE_MKDIR,     WIRE_UNLINK,
		WIRE_RMDIR,   WIRE_RENAME,  WIRE_LINK,        WIRE_WRITE,     WIRE_SETXATTR,
		WIRE_CREATE,  WIRE_RENAME2, WIRE_REMOVEXATTR, WIRE_FALLOCATE, WIRE_COPY_FILE_RANGE,
	};
	static const char body[256];

	for (size_t i = 0; i < ARRAY_LEN(opcodes); i++)
		ck_assert_int_eq(error_of(opcodes[i], node_of("/noted"), body, sizeof(body)),
				 ENOSYS);
	ck_assert_int_eq(error_of(49999, WIRE_ROOT, body, sizeof(body)), ENOSYS);
}
END_TEST

static void setup_many(void)
{
	static char names[MANY][16];
	static struct sample_file many[MANY + 1];

	many[0] = files[0];
	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "name-%05zu", i);
		many[i + 1] = (struct sample_file){
			.path = names[i], .kind = ENTRY_REG, .mode = 0644, .text = names[i]};
	}
	sample_image_make(many, ARRAY_LEN(many));
	view = sample_view(VIEW_CACHE_MIN);
	open_session();
	ck_assert_int_eq(init_with(WIRE_MAJOR, WIRE_MINOR, UINT32_MAX & ~WIRE_INIT_EXT, 0), 0);
}

/* A failing disk under the catalog, and somebody who removed the layer: it cannot be built anew. */
static void ruin_catalog(void)
{
	static const uint8_t rubbish[4096];
	char hex[DIGEST_HEX_MAX];
	const int catalogs = store_dirfd(sample_store, STORE_DIR_CATALOGS);
	struct stat st;

	ck_assert_int_eq(unlinkat(store_dirfd(sample_store, STORE_DIR_BLOBS_SHA256),
				  digest_hex(&sample_image.manifest.layers[0].digest, hex), 0),
			 0);
	digest_hex(&sample_image.chosen.digest, hex);
	ck_assert_int_eq(fchmodat(catalogs, hex, 0644, 0), 0);
	SCOPE_FD int fd = openat(catalogs, hex, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &st), 0);
	/* Not its first block, which was checked when it was opened, nor the digests at its end. */
	for (off_t at = 64 * 1024; at < st.st_size * 3 / 4; at += sizeof(rubbish))
		ck_assert_int_eq(pwrite(fd, rubbish, sizeof(rubbish), at), sizeof(rubbish));
}

/* How often `text` was logged since standard error went to the file "log". */
static unsigned count_in_log(const char *text)
{
	SCOPE(str) struct str log = STR_INIT;
	struct err e = ERR_INIT;
	unsigned count = 0;

	ck_assert_int_eq(io_slurp_path(scratch_file("log"), LIMIT_MIB, &log, &e), 0);
	for (const char *at = str_text(&log); (at = strstr(at, text)); at++)
		count++;
	return count;
}

START_TEST(damage_that_cannot_be_mended_is_an_io_error)
{
	const struct wire_read_in in = {.size = 4096};
	unsigned damaged = 0;

	ruin_catalog();
	SCOPE_FD int log = open(scratch_file("log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(dup2(log, STDERR_FILENO), 0);
	for (uint64_t node = 2; node < MANY + 2; node++) {
		const int errors[] = {
			error_of(WIRE_GETATTR, node, &(struct wire_getattr_in){0},
				 sizeof(struct wire_getattr_in)),
			error_of_name(WIRE_LOOKUP, node, "."),
			error_of(WIRE_READ, node, &in, sizeof(in)),
		};
		for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
			ck_assert(errors[i] == 0 || errors[i] == EIO);
			damaged += errors[i] == EIO;
		}
	}
	ck_assert_uint_gt(damaged, 0);
	ck_assert_uint_gt(count_in_log("of inode"), 0);
	/* Tried once, and not for each of the requests. */
	ck_assert_uint_eq(count_in_log("building it anew"), 1);
	ck_assert_uint_eq(count_in_log("cannot build the catalog anew"), 1);
}
END_TEST

static const struct {
	enum err_code code;
	int error;
} answers[] = {
	{ERR_NOMEM, ENOMEM}, {ERR_NOT_FOUND, ESTALE}, {ERR_UNSUPPORTED, ENOTDIR}, {ERR_DIGEST, EIO},
	{ERR_FORMAT, EIO},   {ERR_LIMIT, EIO},        {ERR_UNTRUSTED, EIO},       {ERR_BUSY, EIO},
};

START_TEST(clients_see_one_errno_a_code)
{
	static const int host[] = {EIO, ENOENT, ENOSYS, ESTALE, EAGAIN, EINTR};
	struct err e = ERR_INIT;

	err_set(&e, answers[_i].code, "some failure");
	ck_assert_int_eq(ops_errno(&e), answers[_i].error);
	err_clear(&e);
	for (size_t i = 0; i < ARRAY_LEN(host); i++) {
		err_sys(&e, host[i], "cannot read");
		ck_assert_int_eq(ops_errno(&e), EIO);
		err_clear(&e);
	}
}
END_TEST

/* As splitmix64: the same numbers on any machine. */
static uint64_t next_random(void)
{
	static uint64_t state = 20240304;
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t odd_number(void)
{
	static const uint64_t odd[] = {0,    1,    2,          3,         4,          5,
				       4096, 1000, UINT32_MAX, INT64_MAX, UINT64_MAX, 1 << 20};
	const uint64_t n = next_random();

	return n % 4 ? odd[next_random() % ARRAY_LEN(odd)] : next_random();
}

/* Operations that this server has, with any numbers in any places. */
START_TEST(answers_any_request_once)
{
	static const uint32_t opcodes[] = {
		WIRE_LOOKUP,    WIRE_GETATTR, WIRE_READLINK, WIRE_OPEN,     WIRE_READ,
		WIRE_STATFS,    WIRE_OPENDIR, WIRE_READDIR,  WIRE_GETXATTR, WIRE_READDIRPLUS,
		WIRE_LISTXATTR, WIRE_LSEEK,   WIRE_ACCESS,   WIRE_FLUSH,    WIRE_RELEASE};
	enum { ROUNDS = 20000, NUMBERS = 8, SIZE_AT = 2, SIZE_MAX_ASKED = 1 << 20 };

	for (unsigned round = 0; round < ROUNDS; round++) {
		const uint32_t opcode = opcodes[next_random() % ARRAY_LEN(opcodes)];
		uint64_t body[NUMBERS + 1] = {0};
		for (unsigned i = 0; i < NUMBERS; i++)
			body[i] = odd_number();
		/* The size that a reply may have is the kernel's word, and memory is taken for
		 * it. */
		if (opcode == WIRE_GETXATTR || opcode == WIRE_LISTXATTR)
			body[0] %= SIZE_MAX_ASKED;
		else if (opcode != WIRE_LOOKUP)
			body[SIZE_AT] %= SIZE_MAX_ASKED;
		ck_assert_uint_eq(ask(opcode, odd_number(), body, sizeof(body)), 1);
		ck_assert_int_le(reply.head.error, 0);
		ck_assert_int_gt(reply.head.error, -512); /* what the kernel takes */
	}
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("fs/ops");
	TCase *first = tcase_create("init");
	TCase *tc = tcase_create("requests");

	tcase_add_checked_fixture(first, setup, teardown);
	tcase_add_test(first, asks_the_kernel_to_keep_what_never_changes);
	tcase_add_loop_test(first, takes_odd_kernels, 0, ARRAY_LEN(kernels));
	suite_add_tcase(s, first);

	tcase_add_checked_fixture(tc, setup_connection, teardown);
	tcase_set_timeout(tc, 100);
	tcase_add_test(tc, keeps_answers_for_a_day);
	tcase_add_test(tc, finds_a_node_by_itself);
	tcase_add_loop_test(tc, knows_no_other_nodes, 0, ARRAY_LEN(unknown_nodes));
	tcase_add_test(tc, refuses_names_that_are_too_long);
	tcase_add_loop_test(tc, reads_up_to_the_end, 0, ARRAY_LEN(reads));
	tcase_add_loop_test(tc, lists_with_any_room, 0, 2);
	tcase_add_test(tc, seeks_only_data_and_holes);
	tcase_add_loop_test(tc, gives_xattrs_that_fit, 0, ARRAY_LEN(xattrs));
	tcase_add_test(tc, forgets_nothing);
	tcase_add_test(tc, has_no_operation_that_writes);
	tcase_add_test(tc, answers_any_request_once);
	suite_add_tcase(s, tc);

	tc = tcase_create("failures");
	tcase_add_loop_test(tc, clients_see_one_errno_a_code, 0, ARRAY_LEN(answers));
	suite_add_tcase(s, tc);
	tc = tcase_create("damage");
	tcase_add_checked_fixture(tc, setup_many, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, damage_that_cannot_be_mended_is_an_io_error);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)
