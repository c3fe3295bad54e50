/* SPDX-License-Identifier: Apache-2.0 */
/* links: unpack */
#include "images/worker/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct seen {
        bool is_open;
        size_t n_parts;
};

static int on_begin(void *ctx, const char *name, const char *filename, struct error *err _unused_)
{
        struct seen *s = ctx;
        assert(!s->is_open && name && filename);
        s->is_open = true;
        return ++s->n_parts, 0;
}
static int on_data(void *ctx, const void *data _unused_, size_t n, struct error *err _unused_)
{
        struct seen *s = ctx;
        assert(s->is_open && n > 0);
        return 0;
}
static int on_end(void *ctx, struct error *err _unused_)
{
        struct seen *s = ctx;
        assert(s->is_open);
        s->is_open = false;
        return 0;
}

/* The first byte is the size of the pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        static const struct multipart_events events = { on_begin, on_data, on_end };
        struct seen seen = { 0 };
        struct multipart m;
        if (n < 1)
                return 0;
        size_t piece = data[0] ? data[0] : 1;
        int r = multipart_init(&m, "multipart/form-data; boundary=XX", &events, &seen, NULL);
        for (size_t i = 1; r == 0 && i < n; i += piece)
                r = multipart_feed(&m, data + i, MIN(piece, n - i), NULL);
        if (r == 0 && multipart_finish(&m, NULL) == 0)
                assert(!seen.is_open && seen.n_parts <= MULTIPART_PARTS_MAX);
        multipart_done(&m);
        return 0;
}
