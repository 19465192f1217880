/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/readonly.h"

#include "base/array.h"
#include "fs/ops.h"
#include "store/lease.h"

static void *open_context(void *ctx, const struct mount_start *start, struct err *e)
{
	const struct readonly *r = ctx;
	struct ops_context *c = array_new(1, sizeof(*c), e);

	if (!c)
		return NULL;
	c->device_number = start->device_number;
	/* What the first worker has set stays. */
	c->is_tuned = start->is_takeover;
	c->view = r->open_view(r->ctx, e);
	if (c->view)
		return c;
	free(c);
	return NULL;
}

static void close_context(void *data)
{
	struct ops_context *c = data;

	view_close(c->view);
	free(c);
}

/* The view has a lease as well, which dies with its worker; a gc may come before the next one. */
static void *hold_image(void *ctx, struct err *e)
{
	const struct readonly *r = ctx;
	SCOPE(lease) struct lease *l = NULL;

	if (lease_open(r->store, r->what, &l, e) < 0 ||
	    lease_add(l, &r->image->chosen.digest, e) < 0)
		return NULL;
	return steal_ptr(&l);
}

static void release_image(void *held)
{
	lease_close(held);
}

struct mount_service readonly_service(struct readonly *r)
{
	return (struct mount_service){
		.ops = &ops_readonly,
		.open = open_context,
		.close = close_context,
		.hold = hold_image,
		.release = release_image,
		.ctx = r,
	};
}
