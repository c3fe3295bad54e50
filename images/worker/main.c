/* SPDX-License-Identifier: Apache-2.0 */
#include "base/worker.h"
#include "images/worker/job.h"

#include <locale.h>
#include <sys/resource.h>

static const struct worker_job jobs[] = {
        { "image-receive", job_image_receive,
          "an upload on descriptor 0 becomes files in the spool and a fingerprint" },
        { "image-inspect", job_image_inspect, "an image's metadata and templates, as data" },
        { "layer-unpack", job_layer_unpack, "an archive becomes a directory tree with ids 0 to 65535" },
        { "image-build", job_image_build, "a Debian image made from the host's package sources" },
        { NULL, NULL, NULL },
};

int main(int argc, char **argv)
{
        struct rlimit files;
        /* Emptying a hostile tree holds one descriptor a level. */
        if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
                files.rlim_cur = files.rlim_max;
                setrlimit(RLIMIT_NOFILE, &files);
        }
        /* Without it libarchive cannot hand over names in UTF-8. */
        setlocale(LC_CTYPE, "C.UTF-8");
        return worker_main(argc, argv, jobs);
}
