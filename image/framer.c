/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's thread fills the content of one job at a time, and hashes it while it is in the
 * cache; a worker compresses it and hashes the result; the caller's thread takes the jobs in the
 * order of submission.  So the hash of the whole stream, which nothing can split, runs beside the
 * compression, and the output does not depend on who was first.
 *
 * Encoders belong to no job: there are more jobs than threads, and one of zstd is megabytes.
 */
#include "image/framer.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/limits.h"
#include "base/workers.h"
#include "image/frame_cut.h"
#include "image/frame_encoder.h"

enum {
	WORKERS_MAX = 16, /* what one thread can feed at the fastest levels, and no gigabytes */
	JOBS_AHEAD = 4,   /* frames that wait while all workers are busy */
};

struct job {
	struct framer *framer;
	struct job *next_free;
	uint64_t tar_offset;
	uint32_t length;
	uint32_t packed_length; /* 0: there was no memory */
	uint8_t sha256[DIGEST_SHA256_LEN];
	uint8_t *content; /* FRAME_CUT_MAX bytes */
	uint8_t *packed;  /* packed_max bytes; FRAME_RAW: none */
};

struct framer {
	struct compression compression;
	size_t packed_max; /* bytes of any frame */
	struct framer_sink sink;
	struct workers *pool;
	struct frame_cut cut;
	struct hasher diff_id;
	uint64_t tar_offset;  /* of the next byte */
	uint64_t blob_offset; /* of the next frame to come out */

	struct job *jobs;
	size_t job_count;
	struct job *free_jobs;
	struct job *open; /* being filled; NULL: none yet */

	pthread_mutex_t lock; /* of the two below */
	struct frame_encoder *encoders[WORKERS_MAX];
	unsigned encoder_count;
};

/* Whether frames are anything but the content itself. */
static bool is_packed(const struct framer *f)
{
	return f->compression.encoding != FRAME_RAW;
}

/* An encoder that no thread uses now, the last used first: its tables are still in a cache. */
static struct frame_encoder *encoder_get(struct framer *f)
{
	struct frame_encoder *encoder = NULL;

	pthread_mutex_lock(&f->lock);
	if (f->encoder_count > 0)
		encoder = f->encoders[--f->encoder_count];
	pthread_mutex_unlock(&f->lock);
	return encoder ? encoder : frame_encoder_new(&f->compression);
}

static void encoder_put(struct framer *f, struct frame_encoder *encoder)
{
	pthread_mutex_lock(&f->lock);
	assert(f->encoder_count < WORKERS_MAX);
	f->encoders[f->encoder_count++] = encoder;
	pthread_mutex_unlock(&f->lock);
}

/* Makes the frame's bytes: how many, 0 without memory. */
static size_t pack(struct framer *f, struct job *job)
{
	struct frame_encoder *encoder = encoder_get(f);

	if (!encoder)
		return 0;
	const size_t n = frame_encoder_run(encoder, job->content, job->length, job->packed);
	encoder_put(f, encoder);
	return n;
}

/* On a worker's thread. */
static void job_run(void *arg)
{
	struct job *job = arg;
	struct framer *f = job->framer;

	job->packed_length = is_packed(f) ? (uint32_t)pack(f, job) : job->length;
	if (job->packed_length == 0)
		return;
	const struct digest d =
		hasher_sha256(is_packed(f) ? job->packed : job->content, job->packed_length);
	memcpy(job->sha256, d.raw, sizeof(job->sha256));
}

/* Takes the oldest job and passes its frame on; 1, or 0 when none is in flight. */
static int job_take(struct framer *f, struct err *e)
{
	struct job *job = workers_take(f->pool);

	if (!job)
		return 0;
	if (job->packed_length == 0)
		return err_nomem(e);

	struct frame frame = {
		.tar_offset = job->tar_offset,
		.blob_offset = f->blob_offset,
		.blob_length = job->packed_length,
		.length = job->length,
	};
	memcpy(frame.sha256, job->sha256, sizeof(frame.sha256));
	f->blob_offset += frame.blob_length;
	if (f->sink.put(f->sink.ctx, &frame, is_packed(f) ? job->packed : job->content, e) < 0)
		return -1;
	job->next_free = f->free_jobs;
	f->free_jobs = job;
	return 1;
}

/* Makes sure of a job to fill. */
static int job_open(struct framer *f, struct err *e)
{
	while (!f->free_jobs) {
		if (job_take(f, e) < 0)
			return -1;
	}
	struct job *job = f->free_jobs;

	if (!job->content) {
		job->content = array_new(1, FRAME_CUT_MAX, e);
		if (!job->content)
			return -1;
	}
	if (!job->packed && is_packed(f)) {
		job->packed = array_new(1, f->packed_max, e);
		if (!job->packed)
			return -1;
	}
	f->free_jobs = job->next_free;
	job->tar_offset = f->tar_offset;
	job->length = 0;
	f->open = job;
	return 0;
}

/* Ends the open frame, if there is one, and sends it off. */
static int end_frame(struct framer *f, struct err *e)
{
	frame_cut_end(&f->cut);
	if (!f->open)
		return 0;
	if (workers_is_full(f->pool) && job_take(f, e) < 0)
		return -1;
	workers_submit(f->pool, f->open);
	f->open = NULL;
	return 0;
}

struct framer *framer_new(const struct framer_options *opt, const struct framer_sink *sink,
			  struct err *e)
{
	struct framer *f = array_new(1, sizeof(*f), e);
	const unsigned workers = opt->workers < WORKERS_MAX ? opt->workers : WORKERS_MAX;
	const size_t depth = workers ? workers + JOBS_AHEAD : 1;

	if (!f)
		return NULL;
	pthread_mutex_init(&f->lock, NULL);
	f->compression = opt->compression;
	f->packed_max = frame_encoder_bound(opt->compression.encoding, FRAME_CUT_MAX);
	f->sink = *sink;
	f->cut = opt->compression.encoding == FRAME_RAW ? (struct frame_cut)FRAME_CUT_EVEN
							: (struct frame_cut)FRAME_CUT_INIT;
	f->jobs = array_new(depth + 1, sizeof(*f->jobs), e);
	if (!f->jobs)
		goto fail;
	f->job_count = depth + 1;
	for (size_t i = 0; i < f->job_count; i++) {
		f->jobs[i].framer = f;
		f->jobs[i].next_free = f->free_jobs;
		f->free_jobs = &f->jobs[i];
	}
	hasher_init(&f->diff_id, DIGEST_SHA256);
	f->pool = workers_new(workers, depth, job_run, e);
	if (!f->pool)
		goto fail;
	return f;
fail:
	framer_free(f);
	return NULL;
}

int framer_member(struct framer *f, uint64_t header, uint64_t payload, struct err *e)
{
	if (is_packed(f) && frame_cut_before_member(&f->cut, header, payload))
		return end_frame(f, e);
	return 0;
}

int framer_payload(struct framer *f, uint64_t size, struct err *e)
{
	if (is_packed(f) && frame_cut_before_payload(&f->cut, size))
		return end_frame(f, e);
	return 0;
}

void *framer_room(struct framer *f, size_t *len, struct err *e)
{
	if (frame_cut_room(&f->cut) == 0 && end_frame(f, e) < 0)
		return NULL;
	if (!f->open && job_open(f, e) < 0)
		return NULL;
	*len = frame_cut_room(&f->cut);
	return f->open->content + f->open->length;
}

void framer_commit(struct framer *f, size_t len)
{
	struct job *job = f->open;

	hasher_update(&f->diff_id, job->content + job->length, len);
	frame_cut_advance(&f->cut, len);
	job->length += (uint32_t)len;
	f->tar_offset += len;
}

int framer_put(struct framer *f, const void *bytes, size_t len, struct err *e)
{
	const uint8_t *from = bytes;

	while (len > 0) {
		size_t room;
		void *to = framer_room(f, &room, e);
		if (!to)
			return -1;
		const size_t n = len < room ? len : room;
		memcpy(to, from, n);
		framer_commit(f, n);
		from += n;
		len -= n;
	}
	return 0;
}

int framer_put_zeros(struct framer *f, size_t len, struct err *e)
{
	while (len > 0) {
		size_t room;
		void *to = framer_room(f, &room, e);
		if (!to)
			return -1;
		const size_t n = len < room ? len : room;
		memset(to, 0, n);
		framer_commit(f, n);
		len -= n;
	}
	return 0;
}

uint64_t framer_offset(const struct framer *f)
{
	return f->tar_offset;
}

int framer_finish(struct framer *f, struct digest *diff_id, struct err *e)
{
	int rc;

	if (end_frame(f, e) < 0)
		return -1;
	do {
		rc = job_take(f, e);
	} while (rc > 0);
	if (rc < 0)
		return -1;
	*diff_id = hasher_final(&f->diff_id);
	return 0;
}

void framer_free(struct framer *f)
{
	if (!f)
		return;
	/* First: jobs that run now still write into their buffers. */
	workers_free(f->pool);
	for (size_t i = 0; f->jobs && i < f->job_count; i++) {
		free(f->jobs[i].content);
		free(f->jobs[i].packed);
	}
	free(f->jobs);
	for (unsigned i = 0; i < f->encoder_count; i++)
		frame_encoder_free(f->encoders[i]);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
