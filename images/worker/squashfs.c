/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/squashfs.h"
#include "base/names.h"
#include "base/alloc.h"
#include "base/units.h"
#include "base/worker.h"
#include "images/worker/tool.h"

#include <ctype.h>
#include <endian.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNSQUASHFS "/usr/bin/unsquashfs"

static uint32_t get32(const unsigned char *p)
{
        uint32_t v;
        memcpy(&v, p, sizeof v);
        return le32toh(v);
}

static uint16_t get16(const unsigned char *p)
{
        uint16_t v;
        memcpy(&v, p, sizeof v);
        return le16toh(v);
}

int squashfs_parse_header(const void *bytes, size_t n, uint64_t file_size, struct squashfs_header *ret,
                          struct error *err)
{
        const unsigned char *p = bytes;
        if (n < SQUASHFS_HEADER_SIZE || memcmp(p, "hsqs", 4) != 0)
                return error_set(err, ERR_BAD_REQUEST, "The root file system is not a squashfs file");
        if (get16(p + 28) != 4 || get16(p + 30) != 0)
                return error_set(err, ERR_UNSUPPORTED,
                                 "The squashfs file has version %u.%u; 4.0 is understood", get16(p + 28),
                                 get16(p + 30));
        struct squashfs_header h = { .inodes = get32(p + 4), .compression = get16(p + 20) };
        h.bytes_used = (uint64_t)get32(p + 44) << 32 | get32(p + 40);
        if (h.compression < 1 || h.compression > 6)
                return error_set(err, ERR_UNSUPPORTED, "The squashfs file has an unknown compression (%u)",
                                 h.compression);
        if (h.bytes_used > file_size)
                return error_set(err, ERR_BAD_REQUEST, "The squashfs file is cut short: %llu bytes of %llu",
                                 (unsigned long long)file_size, (unsigned long long)h.bytes_used);
        if (h.inodes > ARCHIVE_ENTRIES_MAX)
                return error_set(err, ERR_TOO_LARGE, "The squashfs file has more than %u entries",
                                 ARCHIVE_ENTRIES_MAX);
        *ret = h;
        return 0;
}

int squashfs_read_header(int fd, struct squashfs_header *ret, struct error *err)
{
        unsigned char bytes[SQUASHFS_HEADER_SIZE];
        struct stat st;
        ssize_t n = pread(fd, bytes, sizeof bytes, 0);
        if (n < 0 || fstat(fd, &st) < 0)
                return error_set_errno(err, -errno, "Reading the squashfs file");
        return squashfs_parse_header(bytes, (size_t)n, (uint64_t)st.st_size, ret, err);
}

bool squashfs_parse_listing(const char *line, struct squashfs_listed *ret)
{
        char text[32];
        if (strlen(line) < 12 || !strchr("-dlcbps", line[0]) || line[10] != ' ')
                return false;
        const char *p = line + 10 + strspn(line + 10, " ");
        p += strcspn(p, " "); /* owner */
        p += strspn(p, " ");
        size_t n = strspn(p, "0123456789");
        *ret = (struct squashfs_listed){ .type = line[0] };
        if (line[0] == 'c' || line[0] == 'b')
                return n > 0 && p[n] == ',';
        if (n == 0 || n >= sizeof text || p[n] != ' ')
                return false;
        memcpy(text, p, n);
        text[n] = '\0';
        return units_parse_uint(text, INT64_MAX, &ret->size) == 0;
}

struct listing {
        uint64_t max_bytes;
        struct extract_counts counts;
        bool is_over;
};

static void on_listed(void *ctx, const char *line)
{
        struct listing *l = ctx;
        struct squashfs_listed e;
        if (!squashfs_parse_listing(line, &e))
                return;
        if (e.type == 'c' || e.type == 'b')
                l->counts.skipped_nodes++;
        else
                l->counts.files++;
        if (e.type != '-')
                return;
        l->is_over |= e.size > l->max_bytes - l->counts.bytes;
        l->counts.bytes += l->is_over ? 0 : e.size;
}

struct unpacking {
        char *complaint; /* the first line that tells of a failure, owned */
        bool is_full;
};

/* What unsquashfs says when the sandbox refuses what no layer should have. */
static bool is_expected(const char *line)
{
        if (strstr(line, "failed to create character device") ||
            strstr(line, "failed to create block device"))
                return true;
        return strstr(line, "write_xattr") && (strstr(line, " trusted.") || strstr(line, " security.")) &&
               !strstr(line, " security.capability ");
}

/* "[====  ] 1234/5678  21%" */
static bool report_percent(const char *line)
{
        size_t n = strlen(line);
        if (*line != '[' || n < 4 || line[n - 1] != '%')
                return false;
        int percent = line[n - 2] - '0';
        if (isdigit((unsigned char)line[n - 3]))
                percent += 10 * (line[n - 3] - '0');
        worker_progress("unpack", line[n - 4] == '1' ? 100 : percent);
        return true;
}

static bool is_chatter(const char *line)
{
        static const char *const begins[] = { "Parallel unsquashfs", "created ", "[", "Filesystem on " };
        for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
                if (str_starts(line, begins[i]))
                        return true;
        return isdigit((unsigned char)*line) || !*line;
}

static void on_unpack_line(void *ctx, const char *line)
{
        struct unpacking *u = ctx;
        if (report_percent(line) || is_chatter(line) || is_expected(line))
                return;
        u->is_full |= strstr(line, "No space left on device") || strstr(line, "Disk quota exceeded");
        if (!u->complaint)
                u->complaint = name_printable(line);
}

static int tool_failed(const struct unpacking *u, int status, struct error *err)
{
        if (u->is_full)
                return error_set(err, ERR_NO_SPACE, "Unpacking the image: No space left on device");
        if (status == 128 + 9)
                return error_set(err, ERR_TOO_LARGE,
                                 "Unpacking the image needs more memory or time than is allowed");
        return error_set(err, ERR_BAD_REQUEST, "The squashfs file cannot be unpacked: %s",
                         u->complaint ? u->complaint : "unsquashfs failed");
}

static int check_listing(uint64_t max_bytes, struct extract_counts *ret_counts, struct error *err)
{
        static const char *const argv[] = { UNSQUASHFS, "-lln", "/archive", NULL };
        struct listing l = { .max_bytes = max_bytes };
        int status = 0, r = tool_run(argv, -EBADF, on_listed, &l, &status);
        if (r < 0)
                return error_set_errno(err, r, "Starting unsquashfs");
        if (status == 127)
                return error_set(err, ERR_UNSUPPORTED,
                                 "unsquashfs is not installed; squashfs images need it");
        if (status != 0)
                return error_set(err, ERR_BAD_REQUEST,
                                 "The squashfs file is corrupt: its directories cannot be read");
        if (l.is_over)
                return error_set(err, ERR_TOO_LARGE,
                                 "The squashfs file unpacks to more than the %llu bytes allowed",
                                 (unsigned long long)max_bytes);
        *ret_counts = l.counts;
        return 0;
}

int squashfs_unpack(uint64_t max_bytes, struct extract_counts *ret_counts, struct error *err)
{
        /* Queues of 64 MiB: the default of 256 MiB each would alone fill the memory group. */
        static const char *const argv[] = { UNSQUASHFS, "-f", "-da",     "64",       "-fr",
                                            "64",       "-d", "/target", "/archive", NULL };
        struct unpacking u = { 0 };
        int status = 0, r = check_listing(max_bytes, ret_counts, err);
        if (r < 0)
                return r;
        r = tool_run(argv, -EBADF, on_unpack_line, &u, &status);
        if (r < 0)
                error_set_errno(err, r, "Running unsquashfs");
        else if (status != 0 && (status != 2 || u.complaint))
                r = tool_failed(&u, status, err);
        free(u.complaint);
        return r;
}
