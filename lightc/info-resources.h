/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine is made of, for a person: the answer of GET /1.0/resources as the page LXD's client makes of it. */
#pragma once

#include "base/json.h"
#include "base/strbuf.h"

void info_resources(struct json_object *resources, struct strbuf *out);
