/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of the commands that use private keys.
 */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include "cli/command.h"
#include "signer/passphrase.h"

#define OPTION_PASSPHRASE_FILE                                                \
	{                                                                     \
		0, "passphrase-file", "FILE", "take the passphrase from FILE" \
	}
#define OPTION_PASSPHRASE_FD                                                     \
	{                                                                        \
		0, "passphrase-fd", "N", "take the passphrase from descriptor N" \
	}

/* At most one of the two; neither: $SHALE_PASSPHRASE, else the terminal.  ERR_USAGE. */
int keys_passphrase_source(const struct invocation *in, struct passphrase_source *out,
			   struct err *e);

#endif
