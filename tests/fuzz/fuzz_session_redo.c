/* SPDX-License-Identifier: Apache-2.0 */
/* The redo log of an edit session: whatever the file says, its records are read to an end within
 * it, and their changes are done, or are an error, in a database that is still one afterwards. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/le.h"
#include "base/scope.h"
#include "fs/session_db_private.h"
#include "tests/fuzz/fuzz.h"

enum {
	BASE = 9,
	BATCH_AT = 8, /* in a record */
};

/* One for all inputs, each of which is undone. */
static struct session_db *open_database(void)
{
	static struct session_db *db;
	char folder[] = "/tmp/fuzz-session-redo-XXXXXX";
	struct err e = ERR_INIT;

	if (db)
		return db;
	FUZZ_CHECK(mkdtemp(folder));
	SCOPE_FD int dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(session_db_open(dirfd, SESSION_DB_CREATE, BASE, &db, &e) == 0);
	/* It is open, and needs no name. */
	static const char *const names[] = {SESSION_DB_NAME, SESSION_DB_NAME "-wal",
					    SESSION_REDO_NAME};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(dirfd, names[i], 0);
	FUZZ_CHECK(rmdir(folder) == 0);
	return db;
}

/* The input as the file. */
static void read_records(const uint8_t *data, size_t size)
{
	SCOPE(str) struct str record = STR_INIT;
	SCOPE_FD int fd = memfd_create("redo", MFD_CLOEXEC);
	const struct session_redo r = {.fd = fd};
	const uint8_t *at = data + BATCH_AT;
	struct err e = ERR_INIT;
	uint64_t offset = 0;

	if (size < SESSION_REDO_HEADER)
		return;
	const uint64_t batch = le_get64(&at);
	FUZZ_CHECK(fd >= 0 && io_pwrite_all(fd, data, size, 0) == 0);
	while (session_redo_read(&r, batch, offset, &record, &e) > 0) {
		FUZZ_CHECK(record.len >= SESSION_REDO_HEADER && record.len <= size - offset);
		offset += record.len;
	}
	FUZZ_CHECK(e.code == ERR_NONE);
}

/* The input as the changes of a record. */
static void replay(const uint8_t *data, size_t size)
{
	SCOPE(str) struct str record = STR_INIT;
	struct session_db *db = open_database();
	struct err e = ERR_INIT;

	FUZZ_CHECK(str_append_zeros(&record, SESSION_REDO_HEADER, &e) == 0 &&
		   str_append(&record, data, size, &e) == 0);
	FUZZ_CHECK(session_run(db, session_statement(db, STATEMENT_BEGIN), &e) >= 0);
	const int r = session_change_replay(db, &record, &e);
	FUZZ_CHECK((r < 0) == (e.code != ERR_NONE));
	err_clear(&e);
	db->changes = 0;
	FUZZ_CHECK(session_run(db, session_statement(db, STATEMENT_ROLLBACK), &e) >= 0);
	FUZZ_CHECK(session_db_check(db, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_records(data, size);
	replay(data, size);
	return 0;
}
