/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/libarchive.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/scope.h"

/* The binary interface of libarchive 3.x, which its headers are of, too. */
#define LIBARCHIVE_SONAME "libarchive.so.13"

static const struct {
	const char *name;
	size_t at; /* in struct libarchive */
} functions[] = {
#define LIBARCHIVE_PLACE(function) {#function, offsetof(struct libarchive, function)},
	LIBARCHIVE_FUNCTIONS(LIBARCHIVE_PLACE)
#undef LIBARCHIVE_PLACE
};

static int refuse(struct err *e)
{
	const char *why = dlerror();

	/* The loader says it in words alone; errno is its malloc's. */
	if (errno == ENOMEM)
		return err_nomem(e);
	return err_set(e, ERR_UNSUPPORTED, "archives need libarchive, which cannot be loaded: %s",
		       why ? why : LIBARCHIVE_SONAME);
}

int libarchive_load(struct libarchive *out, struct err *e)
{
	struct libarchive loaded;

	errno = 0;
	void *library = dlopen(LIBARCHIVE_SONAME, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return refuse(e);
	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		void *symbol = dlsym(library, functions[i].name);

		if (!symbol)
			return refuse(e);
		/* ISO C has no cast from an object's pointer to a function's. */
		memcpy((char *)&loaded + functions[i].at, &symbol, sizeof(symbol));
	}
	*out = loaded;
	return 0;
}
