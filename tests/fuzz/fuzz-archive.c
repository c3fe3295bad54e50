/* SPDX-License-Identifier: Apache-2.0 */
/* links: unpack */
#include "base/fd.h"
#include "base/path.h"
#include "images/worker/extract.h"
#include "images/worker/job.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char dir[] = "/tmp/fuzz-archive-XXXXXX";

static void remove_dir(void)
{
        path_remove_tree(AT_FDCWD, dir);
}

/* The walker and the writer into a directory of its own; "marker" lies beside it and must never change. */
static int base_fd(void)
{
        static int fd = -EBADF;
        if (fd >= 0)
                return fd;
        if (!mkdtemp(dir) || (fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
                abort();
        if (mkdirat(fd, "tree", 0700) < 0 || mkdirat(fd, "marker", 0700) < 0)
                abort();
        atexit(remove_dir);
        return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        _cleanup_(archive_input_freep) struct archive_input *in = NULL;
        struct extract_counts counts;
        struct stat st;
        _cleanup_close_ int file = memfd_create("archive", MFD_CLOEXEC);
        _cleanup_close_ int tree = path_open_beneath(base_fd(), "tree", O_RDONLY | O_DIRECTORY, 0);
        if (file < 0 || tree < 0 || fd_write_all(file, data, n) < 0)
                abort();
        if (archive_kind_of(file) == ARCHIVE_TAR && archive_input_open(file, MiB(4), NULL, &in, NULL) == 0)
                extract_tree(in, tree, n % 2 ? "rootfs/" : "", 65536, &counts, NULL);
        if (fstatat(base_fd(), "marker", &st, 0) < 0 || st.st_nlink != 2)
                abort();
        job_empty_dir(tree);
        return 0;
}
