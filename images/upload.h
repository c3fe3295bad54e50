/* SPDX-License-Identifier: Apache-2.0 */
/* POST /1.0/images with the bytes of an image as its body. */
#pragma once

#include "images/image.h"

/* Answers 202 when the whole body has come; before that, errors are the request's. */
void image_upload(struct request *req, const char *project, struct image_wishes *take_wishes);
