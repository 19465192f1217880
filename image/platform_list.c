/* SPDX-License-Identifier: Apache-2.0 */
#include "image/platform_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/str.h"

static int add(struct platform_list *l, const char *text, struct err *e)
{
	struct platform p;

	if (strcmp(text, "local") == 0)
		p = platform_host();
	else if (platform_parse(&p, text, e) < 0)
		return -1;
	platform_unify(&p);
	for (size_t i = 0; i < l->count; i++) {
		if (platform_equal(&l->items[i], &p))
			return 0;
	}
	if (l->count == LIMIT_PLATFORMS)
		return err_set(e, ERR_LIMIT, "more than %d platforms", LIMIT_PLATFORMS);
	if (array_reserve(&l->items, &l->cap, l->count + 1, sizeof(*l->items), e) < 0)
		return -1;
	l->items[l->count++] = p;
	return 0;
}

int platform_list_parse(struct platform_list *l, const char *text, struct err *e)
{
	for (;;) {
		const size_t len = strcspn(text, ",");
		SCOPE_FREE char *one = str_dup_n(text, len, e);
		if (!one || add(l, one, e) < 0)
			return -1;
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

void platform_list_fini(struct platform_list *l)
{
	free(l->items);
	*l = (struct platform_list)PLATFORM_LIST_INIT;
}
