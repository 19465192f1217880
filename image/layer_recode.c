/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_recode.h"

#include "image/tar_frames.h"

int layer_recode(const struct tar_input *in, int fd, const struct layer_options *opt,
		 struct layer_result *out, struct err *e)
{
	SCOPE(layer_blob) struct layer_blob *blob = layer_blob_new(fd, opt, e);

	if (!blob || tar_frames_cut(in, layer_blob_framer(blob), layer_blob_entries(blob), e) < 0)
		return -1;
	return layer_blob_finish(blob, out, e);
}
