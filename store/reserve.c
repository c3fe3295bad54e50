/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reserve.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static int open_reserve(off_t *ret_size)
{
        struct stat st;
        _cleanup_close_ int fd = open("reserve", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        *ret_size = st.st_size;
        return TAKE_FD(fd);
}

void reserve_make(void)
{
        struct statfs fs;
        off_t have = 0;
        _cleanup_close_ int fd = open_reserve(&have);
        if (fd < 0 || have > 0 || fstatfs(fd, &fs) < 0)
                return;
        uint64_t want = MIN((uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize / 16, RESERVE_MAX);
        /* A file system that cannot allocate ahead (-EOPNOTSUPP) has no reserve; a cut one is none either. */
        if (want && fallocate(fd, 0, 0, (off_t)want) < 0)
                (void)!ftruncate(fd, 0);
}

bool reserve_release(void)
{
        off_t have = 0;
        _cleanup_close_ int fd = open_reserve(&have);
        return fd >= 0 && have > 0 && ftruncate(fd, 0) == 0;
}
