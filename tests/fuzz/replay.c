/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over every file of the directories named on the command line: a crash found once stays found. */
#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int replay_file(int dir, const char *name)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fd_read_to_end(fd, &b, MiB(16)) < 0)
                return -1;
        return LLVMFuzzerTestOneInput((const uint8_t *)strbuf_str(&b), b.len);
}

int main(int argc, char **argv)
{
        int n = 0, failed = 0;
        for (int i = 1; i < argc; i++) {
                DIR *d = opendir(argv[i]);
                struct dirent *e;
                if (!d) {
                        fprintf(stderr, "%s: no corpus\n", argv[i]);
                        return 1;
                }
                while ((e = readdir(d)))
                        if (e->d_name[0] != '.') {
                                n++;
                                failed += replay_file(dirfd(d), e->d_name) != 0;
                        }
                closedir(d);
        }
        printf("%d inputs replayed, %d failed\n", n, failed);
        return n == 0 || failed;
}
