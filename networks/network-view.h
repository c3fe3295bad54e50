/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown of networks: the REST form with what is computed, state, leases. Private to networks/. */
#pragma once

#include "networks/networks.h"
#include "server/request.h"

void network_write(struct server *s, struct object *o, struct strbuf *out);
void network_write_host(struct server *s, const char *interface, struct strbuf *out);
/* Managed networks (project NULL: of every project) and the host's interfaces. */
void network_list(struct reply_list *l, const char *project);
void network_write_state(struct server *s, const char *interface, struct strbuf *out);
void network_write_leases(struct server *s, struct object *o, struct strbuf *out);
