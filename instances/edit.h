/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "instances/instance.h"

void instance_put(struct request *req);   /* an operation, as LXD */
void instance_patch(struct request *req); /* at once, as LXD */
void instance_post(struct request *req);  /* rename: an operation */
