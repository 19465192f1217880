/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports as EXPOSE names them: 80, 53/udp, 8000-8010/tcp; docker also takes what its -p option
 * does, [ip:]host:container, and looks at the container's ports only.
 */
#ifndef MANIFESTS_PORTS_H
#define MANIFESTS_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/strmap.h"

enum ports_protocol { PORTS_SCTP, PORTS_TCP, PORTS_UDP, PORTS_PROTOCOL_COUNT };

enum { PORTS_MAX = 65535 };

struct port_range {
	enum ports_protocol protocol;
	uint32_t first, last;
	bool is_mapping; /* ports of the host were named, too */
};

/* ERR_SYNTAX; `out` is then untouched. */
int ports_parse(struct port_range *out, const char *text, struct err *e);

/* "80/tcp 81/tcp"; appends to `out`. */
int ports_format(const struct port_range *r, struct str *out, struct err *e);

/* Any number of ports, in constant time for each. */
struct port_set {
	uint8_t bits[PORTS_PROTOCOL_COUNT][(PORTS_MAX + 1) / 8];
};

void ports_add(struct port_set *set, const struct port_range *r);

/* Adds the ports of the set to `map`, as "80/tcp" -> "". */
int ports_merge(const struct port_set *set, struct strmap *map, struct err *e);

#endif
