/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COPY and WORKDIR as layers.
 *
 * A layer holds what the step puts there, and the parent directories that the stage does not have;
 * directories that it has stay as they are.  With --link it holds all parents, and does not depend
 * on the stage at all.
 */
#ifndef PACKER_COPY_LAYER_H
#define PACKER_COPY_LAYER_H

#include "base/err.h"
#include "base/progress.h"
#include "image/layer_write.h"
#include "manifests/plan.h"
#include "packer/accounts.h"
#include "packer/context.h"
#include "packer/stage.h"

struct archives;
struct copy_list;

/* What a step puts where; sorted.  `kept`: see archives_open.  NULL: ERR_NOT_FOUND,
 * ERR_UNSUPPORTED, ERR_EXISTS, ... */
struct copy_list *copy_list_new(const struct context *c, const struct stage *st,
				struct archives *kept, const struct plan_copy *copy, struct err *e);
struct copy_list *copy_list_workdir(const struct stage *st, const char *path, const char *owner,
				    struct err *e);
void copy_list_free(struct copy_list *l);
SCOPE_DEFINE(copy_list, struct copy_list *, copy_list_free)

/* No entry: the step needs no layer. */
bool copy_list_is_empty(const struct copy_list *l);

/* Times are `epoch`.  `progress` counts content. */
int copy_list_write(struct copy_list *l, const struct context *c, int64_t epoch,
		    struct layer_writer *w, struct progress *progress, struct err *e);

#endif
