/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/ports.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/quote.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/strlist.h"
#include "manifests/chars.h"

enum { PORT_TEXT_MAX = sizeof("65535/sctp") };

static const char *const protocols[PORTS_PROTOCOL_COUNT] = {
	[PORTS_SCTP] = "sctp",
	[PORTS_TCP] = "tcp",
	[PORTS_UDP] = "udp",
};

struct range {
	uint64_t first, last;
};

static int refuse(const char *text, const char *why, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, ERR_SYNTAX, "bad port '%s': %s", quote_str(quoted, text), why);
}

static int parse_range(const char *s, size_t len, struct range *out)
{
	const char *dash = memchr(s, '-', len);
	const size_t first_len = dash ? (size_t)(dash - s) : len;

	if (str_to_u64(s, first_len, 10, PORTS_MAX, &out->first) < 0)
		return -1;
	out->last = out->first;
	if (dash && str_to_u64(dash + 1, len - first_len - 1, 10, PORTS_MAX, &out->last) < 0)
		return -1;
	return out->last < out->first ? -1 : 0;
}

static bool find_protocol(const char *s, enum ports_protocol *out)
{
	*out = PORTS_TCP;
	if (*s == '\0')
		return true;
	for (int i = 0; i < PORTS_PROTOCOL_COUNT; i++) {
		if (chars_equal_fold(s, strlen(s), protocols[i])) {
			*out = (enum ports_protocol)i;
			return true;
		}
	}
	return false;
}

static bool is_address(const char *s, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (len >= 2 && s[0] == '[' && s[len - 1] == ']') {
		s++;
		len -= 2;
	}
	if (len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static const char *last_colon(const char *s, const char *end)
{
	return memrchr(s, ':', (size_t)(end - s));
}

/* "[ip:]host" in front of the container's ports. */
static int check_mapping(const char *text, const char *end, struct range ports, struct err *e)
{
	const char *colon = last_colon(text, end);
	const char *host = colon ? colon + 1 : text;
	struct range host_ports;

	if (colon && !is_address(text, (size_t)(colon - text)))
		return refuse(text, "not an IP address before the ports", e);
	if (host == end)
		return 0;
	if (parse_range(host, (size_t)(end - host), &host_ports) < 0)
		return refuse(text, "ports are numbers up to 65535", e);
	/* A range of the host's ports for one of the container's is fine. */
	if (ports.first != ports.last &&
	    ports.last - ports.first != host_ports.last - host_ports.first)
		return refuse(text, "the ranges differ in length", e);
	return 0;
}

int ports_parse(struct port_range *out, const char *text, struct err *e)
{
	const char *colon = last_colon(text, text + strlen(text));
	const char *port = colon ? colon + 1 : text;
	const size_t len = strcspn(port, "/");
	enum ports_protocol protocol;
	struct range ports;

	if (!find_protocol(port[len] == '/' ? port + len + 1 : "", &protocol))
		return refuse(text, "the protocol is none of tcp, udp, sctp", e);
	if (parse_range(port, len, &ports) < 0)
		return refuse(text, "ports are numbers up to 65535", e);
	if (colon && check_mapping(text, colon, ports, e) < 0)
		return -1;
	*out = (struct port_range){protocol, (uint32_t)ports.first, (uint32_t)ports.last,
				   colon != NULL};
	return 0;
}

int ports_format(const struct port_range *r, struct str *out, struct err *e)
{
	for (uint32_t i = r->first; i <= r->last; i++) {
		if (str_appendf(out, e, "%s%u/%s", i > r->first ? " " : "", i,
				protocols[r->protocol]) < 0)
			return -1;
	}
	return 0;
}

void ports_add(struct port_set *set, const struct port_range *r)
{
	for (uint32_t i = r->first; i <= r->last; i++)
		set->bits[r->protocol][i / 8] |= (uint8_t)(1 << i % 8);
}

static int compare(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int list_ports(const struct port_set *set, struct strlist *out, struct err *e)
{
	char name[PORT_TEXT_MAX];

	for (size_t p = 0; p < PORTS_PROTOCOL_COUNT; p++) {
		for (uint32_t i = 0; i <= PORTS_MAX; i++) {
			if (!(set->bits[p][i / 8] & 1 << i % 8))
				continue;
			snprintf(name, sizeof(name), "%u/%s", i, protocols[p]);
			if (strlist_add(out, name, e) < 0)
				return -1;
		}
	}
	return 0;
}

int ports_merge(const struct port_set *set, struct strmap *map, struct err *e)
{
	SCOPE(strlist) struct strlist names = STRLIST_INIT;
	SCOPE(strmap) struct strmap merged = STRMAP_INIT;

	for (size_t i = 0; i < map->count; i++) {
		if (strlist_add(&names, map->items[i].key, e) < 0)
			return -1;
	}
	if (list_ports(set, &names, e) < 0)
		return -1;
	/* In order, so that each goes to the end of the new map, and moves none of the others. */
	if (names.count > 0)
		qsort(names.items, names.count, sizeof(*names.items), compare);
	for (size_t i = 0; i < names.count; i++) {
		if (strmap_set(&merged, names.items[i], "", e) < 0)
			return -1;
	}
	const struct strmap old = *map;
	*map = merged;
	merged = old;
	return 0;
}
