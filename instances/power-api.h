/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "instances/power.h"

void instances_put(struct request *req);
void instance_put_state(struct request *req);
void instance_delete_request(struct request *req);
