/* SPDX-License-Identifier: Apache-2.0 */
#include "store/protocol.h"

static void put_u8(struct strbuf *b, uint8_t v)
{
        strbuf_add(b, &v, sizeof v);
}

static void put_u32(struct strbuf *b, uint32_t v)
{
        strbuf_add(b, &v, sizeof v);
}

static void put_u64(struct strbuf *b, uint64_t v)
{
        strbuf_add(b, &v, sizeof v);
}

static void put_text(struct strbuf *b, const char *s)
{
        size_t n = s ? strlen(s) : 0;
        put_u32(b, (uint32_t)n);
        strbuf_add(b, s ? s : "", n + 1);
}

static size_t frame_begin(struct strbuf *b, enum frame_type type)
{
        size_t start = b->len;
        put_u32(b, 0);
        put_u8(b, (uint8_t)type);
        return start;
}

static void frame_end(struct strbuf *b, size_t start)
{
        uint32_t n = (uint32_t)(b->len - start - FRAME_HEADER);
        if (!b->is_over)
                memcpy(b->data + start, &n, sizeof n);
}

/* Reading: a failed read makes every later one fail too, so a decoder checks once, at its end. */
struct reader {
        const char *p;
        size_t n;
        bool is_bad;
};

static void get(struct reader *r, void *to, size_t n)
{
        if (r->is_bad || r->n < n) {
                r->is_bad = true;
                memset(to, 0, n);
                return;
        }
        memcpy(to, r->p, n);
        r->p += n;
        r->n -= n;
}

static uint8_t get_u8(struct reader *r)
{
        uint8_t v;
        get(r, &v, sizeof v);
        return v;
}

static uint32_t get_u32(struct reader *r)
{
        uint32_t v;
        get(r, &v, sizeof v);
        return v;
}

static uint64_t get_u64(struct reader *r)
{
        uint64_t v;
        get(r, &v, sizeof v);
        return v;
}

static const char *get_text(struct reader *r, size_t max)
{
        size_t n = get_u32(r);
        const char *s = r->p;
        if (r->is_bad || n > max || r->n <= n || s[n] != '\0' || memchr(s, '\0', n)) {
                r->is_bad = true;
                return "";
        }
        r->p += n + 1;
        r->n -= n + 1;
        return s;
}

static int ended(const struct reader *r)
{
        return r->is_bad || r->n ? -EBADMSG : 0;
}

#define READER(f) ((struct reader){ .p = (f)->data, .n = (f)->n })

int protocol_next_frame(const char *data, size_t n, struct frame *ret, size_t *ret_used)
{
        uint32_t len;
        if (n < FRAME_HEADER)
                return 0;
        memcpy(&len, data, sizeof len);
        if (len > FRAME_MAX - FRAME_HEADER)
                return -EBADMSG;
        if (n - FRAME_HEADER < len)
                return 0;
        *ret = (struct frame){ (enum frame_type)(uint8_t)data[4], data + FRAME_HEADER, len };
        *ret_used = FRAME_HEADER + len;
        return 1;
}

#define COMMIT_IDS FRAME_HEADER /* where in a COMMIT frame its numbers are */

void protocol_commit_begin(struct strbuf *out)
{
        frame_begin(out, FRAME_COMMIT);
        put_u64(out, 0);
        put_u64(out, 0);
        put_u8(out, 0);
        put_u32(out, 0);
}

void protocol_commit_add(struct strbuf *out, const struct wire_op *op)
{
        put_u8(out, (uint8_t)op->what);
        put_u64(out, op->expect);
        put_text(out, op->kind);
        put_text(out, op->project);
        put_text(out, op->name);
        if (op->what == OP_PUT)
                put_text(out, op->json);
}

void protocol_commit_seal(struct strbuf *out, const struct wire_commit *numbers)
{
        memcpy(out->data + COMMIT_IDS, &numbers->id, 8);
        memcpy(out->data + COMMIT_IDS + 8, &numbers->acked, 8);
        out->data[COMMIT_IDS + 16] = numbers->is_urgent;
        memcpy(out->data + COMMIT_IDS + 17, &numbers->n_ops, 4);
        frame_end(out, 0);
}

void protocol_write_empty(struct strbuf *out, enum frame_type type)
{
        frame_end(out, frame_begin(out, type));
}

void protocol_write_resolve(struct strbuf *out, const uint64_t *ids, uint32_t n)
{
        size_t start = frame_begin(out, FRAME_RESOLVE);
        put_u32(out, n);
        for (uint32_t i = 0; i < n; i++)
                put_u64(out, ids[i]);
        frame_end(out, start);
}

void protocol_write_hello(struct strbuf *out, const struct wire_hello *m)
{
        size_t start = frame_begin(out, FRAME_HELLO);
        put_u64(out, m->next_id);
        put_u32(out, m->did);
        frame_end(out, start);
}

void protocol_write_record(struct strbuf *out, const struct store_record *m)
{
        size_t start = frame_begin(out, FRAME_RECORD);
        put_text(out, m->kind);
        put_text(out, m->project);
        put_text(out, m->name);
        put_u64(out, m->rev);
        put_u32(out, (uint32_t)m->schema);
        put_text(out, m->json);
        frame_end(out, start);
}

void protocol_write_result(struct strbuf *out, const struct wire_result *m)
{
        size_t start = frame_begin(out, FRAME_RESULT);
        put_u64(out, m->id);
        put_u32(out, (uint32_t)-m->result.r);
        put_u64(out, m->result.rev);
        put_u32(out, (uint32_t)m->result.op);
        frame_end(out, start);
}

void protocol_write_bye(struct strbuf *out, const struct wire_bye *m)
{
        size_t start = frame_begin(out, FRAME_BYE);
        put_u32(out, (uint32_t)-m->r);
        put_text(out, m->message);
        put_text(out, m->hint);
        frame_end(out, start);
}

/* -errno travels as its absolute value; anything else is not from us. */
static int get_errno(struct reader *r)
{
        uint32_t v = get_u32(r);
        if (v > 4095)
                r->is_bad = true;
        return r->is_bad ? -EBADMSG : -(int)v;
}

int protocol_next_op(struct wire_commit *c, struct wire_op *ret)
{
        struct reader r = { .p = c->ops, .n = c->n };
        if (c->n == 0)
                return 0;
        *ret = (struct wire_op){ .what = get_u8(&r) };
        ret->expect = get_u64(&r);
        ret->kind = get_text(&r, STORE_NAME_MAX);
        ret->project = get_text(&r, STORE_NAME_MAX);
        ret->name = get_text(&r, STORE_NAME_MAX);
        if (ret->what == OP_PUT)
                ret->json = get_text(&r, STORE_JSON_MAX);
        if (r.is_bad || ret->what < OP_PUT || ret->what > OP_CHECK || !*ret->kind || !*ret->name)
                return -EBADMSG;
        c->ops = r.p;
        c->n = r.n;
        return 1;
}

int protocol_read_commit(const struct frame *f, struct wire_commit *ret)
{
        struct reader r = READER(f);
        struct wire_op op;
        uint32_t count = 0;
        int k;
        struct wire_commit c = { 0 };
        c.id = get_u64(&r);
        c.acked = get_u64(&r);
        c.is_urgent = get_u8(&r);
        c.n_ops = get_u32(&r);
        if (r.is_bad)
                return -EBADMSG;
        c.ops = r.p;
        c.n = r.n;
        *ret = c;
        while ((k = protocol_next_op(&c, &op)) > 0)
                count++;
        return k < 0 || count != c.n_ops ? -EBADMSG : 0;
}

int protocol_read_resolve(const struct frame *f, uint32_t *ret_n)
{
        struct reader r = READER(f);
        uint32_t n = get_u32(&r);
        if (r.is_bad || n > STORE_PENDING_MAX || r.n != n * sizeof(uint64_t))
                return -EBADMSG;
        *ret_n = n;
        return 0;
}

uint64_t protocol_resolve_id(const struct frame *f, uint32_t i)
{
        uint64_t id;
        memcpy(&id, f->data + sizeof i + i * sizeof id, sizeof id);
        return id;
}

int protocol_read_hello(const struct frame *f, struct wire_hello *ret)
{
        struct reader r = READER(f);
        ret->next_id = get_u64(&r);
        ret->did = get_u32(&r);
        return ended(&r);
}

int protocol_read_record(const struct frame *f, struct store_record *ret)
{
        struct reader r = READER(f);
        ret->kind = get_text(&r, STORE_NAME_MAX);
        ret->project = get_text(&r, STORE_NAME_MAX);
        ret->name = get_text(&r, STORE_NAME_MAX);
        ret->rev = get_u64(&r);
        ret->schema = (int)get_u32(&r);
        ret->json = get_text(&r, STORE_JSON_MAX);
        return ended(&r);
}

int protocol_read_result(const struct frame *f, struct wire_result *ret)
{
        struct reader r = READER(f);
        ret->id = get_u64(&r);
        ret->result.r = get_errno(&r);
        ret->result.rev = get_u64(&r);
        ret->result.op = get_u32(&r);
        return ended(&r);
}

int protocol_read_bye(const struct frame *f, struct wire_bye *ret)
{
        struct reader r = READER(f);
        ret->r = get_errno(&r);
        ret->message = get_text(&r, KiB(16));
        ret->hint = get_text(&r, KiB(16));
        return ended(&r);
}
