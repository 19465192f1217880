/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for what nobody else may see: passphrases, seeds, decrypted keys.
 *
 * A secret lives in pages of its own (guarded, locked where the limits allow it, kept out of core
 * dumps) and is wiped when it goes.  While any secret is held the whole process leaves no core and
 * cannot be traced by others of the same user (RLIMIT_CORE 0, PR_SET_DUMPABLE 0), because copies
 * in registers, stack and libraries are not in those pages; with the last one both come back.
 * What it does not keep away: root, and who reads the same files.
 *
 * Threads: any; the count of secrets has a lock.  Not to be held over fork.
 */
#ifndef SIGNER_SECRET_H
#define SIGNER_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"

struct secret {
	uint8_t *data; /* NULL: none */
	size_t len;    /* bytes in use; may be 0 (an empty passphrase is legal) */
};

#define SECRET_INIT     \
	{               \
		NULL, 0 \
	}

/* `len` bytes, zeroed.  ERR_NOMEM; ERR_SYS when libsodium has no random numbers. */
int secret_init(struct secret *s, size_t len, struct err *e);
/* Wipes. */
void secret_fini(struct secret *s);
SCOPE_DEFINE_VALUE(secret, struct secret, secret_fini)

/* Gives the secret over; `from` holds none afterwards. */
struct secret secret_take(struct secret *from);

/*
 * Text that may turn out to be secret, when somebody gives a key that is not encrypted: all of its
 * memory is wiped when it goes.  Growing leaves copies behind, so room for `max` bytes is made
 * first.  ERR_NOMEM.
 */
int secret_text_init(struct str *s, size_t max, struct err *e);
void secret_text_fini(struct str *s);
SCOPE_DEFINE_VALUE(secret_text, struct str, secret_text_fini)

/* libsodium ready to use; cheap when it is already.  ERR_SYS. */
int secret_setup(struct err *e);

#endif
