/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/job.h"

int job_image_build(struct json_object *args _unused_, struct json_object **ret_result _unused_, struct error *err)
{
        return error_set(err, ERR_UNSUPPORTED, "Building images is not part of this release");
}
