/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/archive.h"
#include "base/alloc.h"
#include "base/names.h"
#include "base/worker.h"

#include <limits.h>
#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_SIZE KiB(256)
#define OUTPUT_SIZE MiB(1)
/* gzip and zstd reach some 1000:1 on zeroes; what is beyond and large is no image. */
#define RATIO_MAX 2000u
#define RATIO_FREE_BYTES GiB(1)
#define XZ_MEMORY_MAX MiB(300)
#define XZ_THREADS_MAX 8u

struct archive_input {
        struct archive *reader;
        int fd;
        const char *stage;
        uint64_t file_size;
        uint64_t n_read; /* of the file */
        uint64_t max_bytes;
        uint64_t n_content;
        uint64_t n_entries;
        bool is_xz;
        bool is_file_end;
        lzma_stream xz;
        unsigned char *input;
        unsigned char *output;
        int failure; /* -errno of the read callback, which can only say "failed" */
};

static const unsigned char xz_magic[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };
#define LZMA_HEADER 13

/*
 * lzma(1)'s older format has no name in it: the usual parameters, a dictionary of whole 64 KiB, and a size that is not
 * known or believable. A tar archive whose first file is called "]" has zeroes there.
 */
static bool is_lzma(const unsigned char head[static LZMA_HEADER])
{
        uint64_t size = 0;
        for (size_t i = 0; i < 8; i++)
                size |= (uint64_t)head[5 + i] << (8 * i);
        return memcmp(head, "\x5d\0\0", 3) == 0 && size > 0 && (size == UINT64_MAX || size < GiB(256));
}

enum archive_kind archive_kind_of(int fd)
{
        unsigned char magic[512] = { 0 };
        ssize_t n = pread(fd, magic, sizeof magic, 0);
        if (n < 6)
                return ARCHIVE_UNKNOWN;
        if (memcmp(magic, "hsqs", 4) == 0)
                return ARCHIVE_SQUASHFS;
        bool is_packed = memcmp(magic, xz_magic, sizeof xz_magic) == 0 ||
                         is_lzma(magic) || memcmp(magic, "\x1f\x8b", 2) == 0 ||
                         memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0 || memcmp(magic, "BZh", 3) == 0;
        return is_packed || memcmp(magic + 257, "ustar", 5) == 0 ? ARCHIVE_TAR : ARCHIVE_UNKNOWN;
}

static ssize_t read_file(struct archive_input *in)
{
        ssize_t n;
        do
                n = read(in->fd, in->input, INPUT_SIZE);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return in->failure = -errno;
        in->n_read += (uint64_t)n;
        in->is_file_end = n == 0;
        return n;
}

static int xz_error(lzma_ret r)
{
        if (r == LZMA_MEMLIMIT_ERROR || r == LZMA_MEM_ERROR)
                return -ENOMEM;
        return r == LZMA_BUF_ERROR ? -ENODATA : -EBADMSG;
}

/* libarchive decodes xz on one core; liblzma takes all of them when the file has several blocks. */
static ssize_t read_xz(struct archive_input *in)
{
        in->xz.next_out = in->output;
        in->xz.avail_out = OUTPUT_SIZE;
        while (in->xz.avail_out > 0) {
                if (in->xz.avail_in == 0 && !in->is_file_end) {
                        ssize_t n = read_file(in);
                        if (n < 0)
                                return n;
                        in->xz.next_in = in->input;
                        in->xz.avail_in = (size_t)n;
                }
                lzma_ret r = lzma_code(&in->xz, in->is_file_end ? LZMA_FINISH : LZMA_RUN);
                if (r == LZMA_STREAM_END)
                        break;
                if (r != LZMA_OK)
                        return in->failure = xz_error(r);
        }
        return (ssize_t)(OUTPUT_SIZE - in->xz.avail_out);
}

static la_ssize_t on_read(struct archive *reader, void *data, const void **ret_bytes)
{
        struct archive_input *in = data;
        ssize_t n = in->is_xz ? read_xz(in) : read_file(in);
        *ret_bytes = in->is_xz ? in->output : in->input;
        if (n < 0)
                archive_set_error(reader, (int)-n, "reading the archive");
        return n < 0 ? ARCHIVE_FATAL : n;
}

static int start_lzma(struct archive_input *in)
{
        in->is_xz = true;
        in->output = xcalloc(1, OUTPUT_SIZE);
        lzma_ret r = lzma_alone_decoder(&in->xz, XZ_MEMORY_MAX);
        return r == LZMA_OK ? 0 : xz_error(r);
}

static int start_xz(struct archive_input *in)
{
        lzma_mt options = { .flags = LZMA_CONCATENATED,
                            .threads = MAX(1u, MIN(lzma_cputhreads(), XZ_THREADS_MAX)),
                            .memlimit_threading = XZ_MEMORY_MAX,
                            .memlimit_stop = XZ_MEMORY_MAX };
        in->is_xz = true;
        in->output = xcalloc(1, OUTPUT_SIZE);
        lzma_ret r = lzma_stream_decoder_mt(&in->xz, &options);
        return r == LZMA_OK ? 0 : xz_error(r);
}

static int start(struct archive_input *in)
{
        unsigned char magic[LZMA_HEADER] = { 0 };
        struct stat st;
        if (fstat(in->fd, &st) < 0 || lseek(in->fd, 0, SEEK_SET) < 0)
                return -errno;
        in->file_size = (uint64_t)st.st_size;
        in->input = xcalloc(1, INPUT_SIZE);
        in->reader = archive_read_new();
        archive_read_support_format_tar(in->reader);
        if (pread(in->fd, magic, sizeof magic, 0) < 0)
                return -errno;
        if (memcmp(magic, xz_magic, sizeof xz_magic) == 0)
                return start_xz(in);
        if (is_lzma(magic))
                return start_lzma(in);
        archive_read_support_filter_gzip(in->reader);
        archive_read_support_filter_bzip2(in->reader);
        archive_read_support_filter_zstd(in->reader);
        return 0;
}

int archive_input_open(int fd, uint64_t max_bytes, const char *stage, struct archive_input **ret,
                       struct error *err)
{
        _cleanup_(archive_input_freep) struct archive_input *in = xnew(struct archive_input);
        in->fd = fd;
        in->stage = stage;
        in->max_bytes = max_bytes ? max_bytes : GiB(64);
        in->xz = (lzma_stream)LZMA_STREAM_INIT;
        int r = start(in);
        if (r < 0)
                return error_set_errno(err, r, "Opening the archive");
        if (archive_read_open(in->reader, in, NULL, on_read, NULL) != ARCHIVE_OK)
                return archive_input_failed(in, err);
        *ret = TAKE_PTR(in);
        return 0;
}

void archive_input_free(struct archive_input *in)
{
        if (in->reader)
                archive_read_free(in->reader);
        lzma_end(&in->xz);
        free(in->input);
        free(in->output);
        free(in);
}

struct archive *archive_input_reader(struct archive_input *in)
{
        return in->reader;
}

int archive_input_failed(struct archive_input *in, struct error *err)
{
        const char *why = archive_error_string(in->reader);
        _cleanup_free_ char *shown = name_printable(why ? why : "unknown format");
        if (in->failure == -ENOMEM)
                return error_set(err, ERR_TOO_LARGE, "Reading the archive needs more memory than is allowed");
        if (in->failure == -ENODATA)
                return error_set(err, ERR_BAD_REQUEST, "The archive is cut short");
        if (in->failure == -EBADMSG)
                return error_set(err, ERR_BAD_REQUEST, "The archive's compressed data is corrupt");
        if (in->failure < 0)
                return error_set_errno(err, in->failure, "Reading the archive");
        return error_set(err, ERR_BAD_REQUEST, "The archive cannot be read: %s", shown);
}

static int too_large(const struct archive_input *in, struct error *err)
{
        return error_set(err, ERR_TOO_LARGE, "The archive unpacks to more than the %llu bytes allowed",
                         (unsigned long long)in->max_bytes);
}

int archive_input_next(struct archive_input *in, struct archive_entry **ret_entry, struct error *err)
{
        int r = archive_read_next_header(in->reader, ret_entry);
        if (r == ARCHIVE_EOF)
                return 0;
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
                return archive_input_failed(in, err);
        if (++in->n_entries > ARCHIVE_ENTRIES_MAX)
                return error_set(err, ERR_TOO_LARGE, "The archive has more than %u entries",
                                 ARCHIVE_ENTRIES_MAX);
        /* Entries the caller skips are decoded all the same. */
        if ((uint64_t)archive_filter_bytes(in->reader, 0) > in->max_bytes + in->n_entries * KiB(8) + MiB(64))
                return too_large(in, err);
        if (in->file_size && in->stage)
                worker_progress(in->stage, (int)(MIN(in->n_read, in->file_size) * 100 / in->file_size));
        return 1;
}

int archive_input_account(struct archive_input *in, uint64_t bytes, struct error *err)
{
        if (bytes > in->max_bytes - MIN(in->n_content, in->max_bytes))
                return too_large(in, err);
        in->n_content += bytes;
        if (in->n_content > RATIO_FREE_BYTES && in->n_content / RATIO_MAX > in->file_size)
                return error_set(err, ERR_TOO_LARGE,
                                 "The archive unpacks to more than %u times its size, which no image does",
                                 RATIO_MAX);
        return 0;
}

static int bad_name(const char *name, const char *why, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(name);
        return error_set(err, ERR_BAD_REQUEST, "The archive's entry \"%s\" is refused: %s", shown, why);
}

int archive_clean_name(const char *name, char **ret_name, struct error *err)
{
        if (str_empty(name))
                return error_set(err, ERR_BAD_REQUEST, "The archive has an entry without a readable name");
        if (strlen(name) > ARCHIVE_NAME_MAX)
                return bad_name(name, "its name is longer than 4096 bytes", err);
        if (*name == '/')
                return bad_name(name, "its name is absolute", err);
        _cleanup_free_ char *clean = xcalloc(1, strlen(name) + 1);
        size_t len = 0, depth = 0;
        for (const char *p = name; *p;) {
                size_t n = strcspn(p, "/");
                if (n == 2 && p[0] == '.' && p[1] == '.')
                        return bad_name(name, "its name contains \"..\"", err);
                if (n > NAME_MAX)
                        return bad_name(name, "a part of its name is longer than 255 bytes", err);
                if (n > 0 && !(n == 1 && *p == '.')) {
                        if (++depth > ARCHIVE_DEPTH_MAX)
                                return bad_name(name, "it lies too deep", err);
                        if (len > 0)
                                clean[len++] = '/';
                        memcpy(clean + len, p, n);
                        len += n;
                }
                p += n + (p[n] == '/');
        }
        *ret_name = TAKE_PTR(clean);
        return 0;
}
