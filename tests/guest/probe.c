/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs inside a container and tries what a hostile guest would: every system call by its number in the three ABIs of
 * x86, every file of /proc and /sys for writing. Says what it found; tests/system/isolation.sh knows what it should be.
 * It refuses to run on the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_contained(void)
{
        unsigned long inside = 0, outside = 0;
        FILE *f = fopen("/proc/self/uid_map", "re");
        bool is_read = f && fscanf(f, "%lu %lu", &inside, &outside) == 2;
        if (f)
                fclose(f);
        return is_read && outside != 0;
}

/* ---- system calls ---- */

#define CALLS 600
#define X32 0x40000000L

enum abi { ABI_X86_64, ABI_I386, ABI_X32, _ABI_MAX };
static const char *const abi_names[] = { "x86_64", "i386", "x32" };

#if defined(__x86_64__)
static long call_i386(long number)
{
        long answer;
        __asm__ volatile("int $0x80"
                         : "=a"(answer)
                         : "a"(number), "b"(-1L), "c"(-1L), "d"(-1L), "S"(-1L), "D"(-1L)
                         : "memory", "r8", "r9", "r10", "r11");
        return (int)answer;
}

static long call_native(long number)
{
        return syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) < 0 ? -errno : 0;
}

static long call(enum abi abi, long number)
{
        return abi == ABI_I386 ? call_i386(number) : call_native(abi == ABI_X32 ? number | X32 : number);
}

/* Those that make a process or end it: they answer nothing. */
static bool is_left_out(enum abi abi, long number)
{
        static const long native[] = { SYS_fork, SYS_vfork, SYS_exit, SYS_exit_group };
        static const long i386[] = { 1, 2, 190, 252 };
        const long *list = abi == ABI_I386 ? i386 : native;
        size_t n = abi == ABI_I386 ? sizeof i386 / sizeof *i386 : sizeof native / sizeof *native;
        for (size_t i = 0; i < n; i++)
                if (abi != ABI_X32 && list[i] == number)
                        return true;
        return false;
}

/* One that waits for ever, perhaps with all signals blocked, is ended from outside. */
static int wait_for(pid_t pid)
{
        int status = 0;
        struct pollfd ended = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
        if (poll(&ended, 1, 1000) <= 0)
                kill(pid, SIGKILL);
        close(ended.fd);
        return waitpid(pid, &status, 0) < 0 ? -1 : status;
}

/* A child for each: whatever it does to its process is over with it. All arguments are -1: nothing that exists. */
static void try_call(enum abi abi, long number, volatile long *answer)
{
        *answer = 1;
        pid_t pid = fork();
        if (pid == 0) {
                *answer = call(abi, number);
                _exit(0);
        }
        int status = pid < 0 ? -1 : wait_for(pid);
        if (status < 0)
                printf("%s %ld cannot be tried: %s\n", abi_names[abi], number, strerror(errno));
        else if (WIFSIGNALED(status))
                printf("%s %ld signal %d\n", abi_names[abi], number, WTERMSIG(status));
        else
                printf("%s %ld %s\n", abi_names[abi], number, *answer < 0 ? strerrorname_np((int)-*answer) : "0");
        fflush(stdout);
}

static int sweep_calls(void)
{
        volatile long *answer = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (answer == MAP_FAILED)
                return 1;
        for (int abi = 0; abi < _ABI_MAX; abi++)
                for (long number = 0; number < CALLS; number++)
                        if (!is_left_out((enum abi)abi, number))
                                try_call((enum abi)abi, number, answer);
        return 0;
}
#else
static int sweep_calls(void)
{
        puts("not on this architecture");
        return 77;
}
#endif

/* ---- files ---- */

static int try_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
        (void)where;
        if (type != FTW_F || !S_ISREG(st->st_mode))
                return 0;
        int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) {
                puts(path);
                close(fd);
        }
        return 0;
}

/*
 * Another number. But not of what the kernel itself gives to every network namespace though it is the host's: a switch
 * that only ever turns hooks on. Covering it would keep guests from mounting a /proc of their own.
 */
static bool is_left_alone(const char *path)
{
        return strstr(path, "nf_hooks_lwtunnel");
}

static int change_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
        char text[64] = "";
        (void)where;
        if (type != FTW_F || !S_ISREG(st->st_mode) || is_left_alone(path))
                return 0;
        int fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return 0;
        ssize_t n = pread(fd, text, sizeof text - 1, 0);
        char *end = text;
        long value = n > 0 ? strtol(text, &end, 10) : 0;
        if (end > text && (*end == '\n' || *end == '\0')) {
                n = snprintf(text, sizeof text, "%ld\n", value == 1 ? 0 : value + 1);
                if (pwrite(fd, text, (size_t)n, 0) == n)
                        puts(path);
        }
        close(fd);
        return 0;
}

static int walk(const char *top, int (*each)(const char *, const struct stat *, int, struct FTW *))
{
        return nftw(top, each, 64, FTW_PHYS | FTW_MOUNT) < 0;
}

int main(int argc, char **argv)
{
        if (!is_contained()) {
                fputs("This is no container: nothing is tried here\n", stderr);
                return 2;
        }
        if (argc == 2 && strcmp(argv[1], "calls") == 0)
                return sweep_calls();
        if (argc == 3 && strcmp(argv[1], "writable") == 0)
                return walk(argv[2], try_file);
        if (argc == 3 && strcmp(argv[1], "change") == 0)
                return walk(argv[2], change_file);
        fputs("Usage: probe calls | writable DIR | change DIR\n", stderr);
        return 2;
}
