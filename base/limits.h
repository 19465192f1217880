/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every limit of shale, in one place; documented for users in shale-limits(7).
 *
 * Over a limit is ERR_LIMIT (exit status 4).  Sizes are checked before memory is taken.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <stdint.h>

#define LIMIT_KIB UINT64_C(1024)
#define LIMIT_MIB (1024 * LIMIT_KIB)
#define LIMIT_GIB (1024 * LIMIT_MIB)

/* JSON.  containers/image reads manifests up to 4 MiB too. */
#define LIMIT_JSON_DEPTH    64
#define LIMIT_JSON_VALUES   (512 * 1024)     /* in one document; each costs up to 300 bytes */
#define LIMIT_DOCUMENT      (4 * LIMIT_MIB)  /* manifest, config, index of an image */
#define LIMIT_STORE_INDEX   (64 * LIMIT_MIB) /* index.json of a store */
#define LIMIT_INDEX_ENTRIES 1000             /* manifests in one image index */
#define LIMIT_PLATFORMS     64               /* that one build makes images for */
#define LIMIT_LAYERS        512              /* layers of an image */
#define LIMIT_ANNOTATION    (64 * LIMIT_KIB) /* bytes of one annotation value */

/* Names inside images: what Linux can show. */
#define LIMIT_NAME    255  /* bytes of one component */
#define LIMIT_PATH    4095 /* bytes of a path */
#define LIMIT_SYMLINK 4095 /* bytes of a link target */
#define LIMIT_DEPTH   2048 /* components: 4095 bytes hold no more */

/* Tar. */
#define LIMIT_ENTRIES        (4 * 1024 * 1024) /* members of an image's layers */
#define LIMIT_PAX            (1 * LIMIT_MIB)   /* bytes of one extended header */
#define LIMIT_XATTR_VALUE    (64 * LIMIT_KIB)  /* XATTR_SIZE_MAX of Linux */
#define LIMIT_XATTR_NAME     255               /* XATTR_NAME_MAX of Linux */
#define LIMIT_XATTRS         (1 * LIMIT_MIB)   /* names and values of one inode */
#define LIMIT_SPARSE_EXTENTS (64 * 1024)       /* data ranges of one sparse member */

/* Layers. */
#define LIMIT_FRAME           (16 * LIMIT_MIB) /* content of one frame */
#define LIMIT_FRAMES          (16 * 1024 * 1024)
#define LIMIT_LAYER_INDEX     (512 * LIMIT_MIB)  /* uncompressed layer index */
#define LIMIT_LAYER_INDEXES   (1 * LIMIT_GIB)    /* those of an image: they are merged in memory */
#define LIMIT_ZSTD_WINDOW_LOG 27                 /* 128 MiB, zstd's own default for decoders */
#define LIMIT_EXPANSION_FREE  (64 * LIMIT_MIB)   /* any ratio is fine up to here */
#define LIMIT_EXPANSION_RATIO 1000               /* content : blob, beyond it */
#define LIMIT_LAYER_CONTENT   (1024 * LIMIT_GIB) /* bytes of one layer's tar stream */

/* Files of an image that are read for what they say. */
#define LIMIT_ACCOUNT_FILE (4 * LIMIT_MIB)  /* /etc/passwd, /etc/group */
#define LIMIT_PATCH_FILE   (16 * LIMIT_MIB) /* a file that diff --patch compares line by line */

/* User namespaces. */
#define LIMIT_SUBID_FILE    (16 * LIMIT_MIB) /* /etc/subuid, /etc/subgid */
#define LIMIT_IDMAP_EXTENTS 340              /* UID_GID_MAP_MAX_EXTENTS of Linux */
#define LIMIT_IDMAP_TEXT    4095             /* bytes: one write(2), shorter than a page */

/* Archives of images (docker save). */
#define LIMIT_ARCHIVE_MEMBERS 65536 /* files that are remembered */

/* Signatures and keys. */
#define LIMIT_KEY_FILE    (64 * LIMIT_KIB)
#define LIMIT_PASSPHRASE  (4 * LIMIT_KIB)
#define LIMIT_SIG_PAYLOAD (4 * LIMIT_MIB)
#define LIMIT_SIGNATURES  64 /* looked at for one image */

/* Edit sessions. */
#define LIMIT_SESSION_NAME 128 /* bytes */

/* Mounts. */
#define LIMIT_WORKER_DEATHS      100 /* of a mount's worker in a minute */
#define LIMIT_WORKER_DEATHS_IDLE 5   /* in a row without an answer between them */

/* Build files. */
#define LIMIT_MANIFEST      (1 * LIMIT_MIB)
#define LIMIT_MANIFEST_LINE 65535 /* bufio.MaxScanTokenSize - 1, as BuildKit */
#define LIMIT_INSTRUCTIONS  20000 /* of one build file, with its fragments */
#define LIMIT_INCLUDES      1000  /* fragments that a build file includes, each time counted */
#define LIMIT_INCLUDE_DEPTH 16    /* fragments that include fragments */
#define LIMIT_VARIABLES                                                           \
	10000 /* names that ARG, ENV, LABEL and VOLUME set, or a base image's ENV \
	       */
#define LIMIT_BUILDS          1000                /* layers that are remembered by what made them */
#define LIMIT_EXPANDED_WORD   (1 * LIMIT_MIB)     /* one word after ${} expansion */
#define LIMIT_EXPANDED_TOTAL  (64 * LIMIT_MIB)    /* all words of a build file together */
#define LIMIT_EXPANSION_DEPTH 64                  /* ${a:-${b:-...}} */
#define LIMIT_PATTERN_STEPS   UINT64_C(268435456) /* comparisons in all ${a#p} ${a/p/t} of a file */
#define LIMIT_IGNORE_FILE     (1 * LIMIT_MIB)
#define LIMIT_IGNORE_RULES    10000
#define LIMIT_IGNORE_STEPS    UINT64_C(268435456) /* comparisons by a set of rules */
#define LIMIT_IGNORE_PATH     65536               /* and for each path that it is asked about */

#endif
