/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The expression becomes a little program; the text is walked once with the set of all places the program can
 * be at. Jumps are relative, so that code can be moved and copied while it is built.
 */
#include "api/pattern.h"
#include "base/alloc.h"

#include <ctype.h>

#define STEPS_MAX 512
#define SETS_MAX 64
#define NESTING_MAX 128
#define REPEAT_MAX 255

enum op { OP_BYTE, OP_ANY, OP_SET, OP_SPLIT, OP_JUMP, OP_BEGIN, OP_END, OP_MATCH };

struct step {
        uint8_t op;
        uint8_t arg;          /* OP_BYTE: the byte; OP_SET: which set */
        int16_t first, other; /* where to go on, relative; both for OP_SPLIT, first for OP_JUMP */
};

struct set {
        uint32_t bits[8];
};

struct pattern {
        struct step steps[STEPS_MAX];
        size_t n_steps;
        struct set sets[SETS_MAX];
        size_t n_sets;
        bool is_case_blind;
};

struct parser {
        struct pattern *p;
        const char *at;
        unsigned depth;
        int error;
};

static int parse_choice(struct parser *ps);

static int fail(struct parser *ps, int r)
{
        if (ps->error == 0)
                ps->error = r;
        return ps->error;
}

static int emit(struct parser *ps, struct step step)
{
        if (ps->p->n_steps == STEPS_MAX)
                return fail(ps, -E2BIG);
        ps->p->steps[ps->p->n_steps++] = step;
        return 0;
}

/* Opens a gap of one step at `where` and puts the step there; the code behind moves as a whole. */
static int insert(struct parser *ps, size_t where, struct step step)
{
        struct pattern *p = ps->p;
        if (p->n_steps == STEPS_MAX)
                return fail(ps, -E2BIG);
        memmove(p->steps + where + 1, p->steps + where, (p->n_steps - where) * sizeof *p->steps);
        p->steps[where] = step;
        p->n_steps++;
        return 0;
}

static void set_add(struct set *s, uint8_t c)
{
        s->bits[c / 32] |= 1u << (c % 32);
}

static bool set_has(const struct set *s, uint8_t c)
{
        return s->bits[c / 32] >> (c % 32) & 1;
}

static void set_invert(struct set *s)
{
        for (size_t i = 0; i < ARRAY_SIZE(s->bits); i++)
                s->bits[i] = ~s->bits[i];
}

static bool is_class(char c)
{
        return c && strchr("dDwWsS", c);
}

static void set_add_class(struct set *s, char class)
{
        struct set members = { 0 };
        for (int c = 0; c < 128; c++) {
                bool is_in = (class | 0x20) == 'd'   ? isdigit(c)
                             : (class | 0x20) == 's' ? isspace(c)
                                                     : isalnum(c) || c == '_';
                if (is_in)
                        set_add(&members, (uint8_t)c);
        }
        if (isupper((unsigned char)class))
                set_invert(&members);
        for (size_t i = 0; i < ARRAY_SIZE(s->bits); i++)
                s->bits[i] |= members.bits[i];
}

static int emit_set(struct parser *ps, struct set s, bool is_inverted)
{
        struct pattern *p = ps->p;
        for (int c = 'a'; p->is_case_blind && c <= 'z'; c++)
                if (set_has(&s, (uint8_t)c) || set_has(&s, (uint8_t)(c - 32))) {
                        set_add(&s, (uint8_t)c);
                        set_add(&s, (uint8_t)(c - 32));
                }
        if (is_inverted)
                set_invert(&s);
        if (p->n_sets == SETS_MAX)
                return fail(ps, -E2BIG);
        p->sets[p->n_sets] = s;
        return emit(ps, (struct step){ .op = OP_SET, .arg = (uint8_t)p->n_sets++ });
}

/* One member of a set, or -1 for a class, which is added at once. */
static int parse_set_member(struct parser *ps, struct set *s)
{
        uint8_t c = (uint8_t)*ps->at++;
        if (c != '\\')
                return c;
        if (!*ps->at)
                return fail(ps, -EINVAL);
        c = (uint8_t)*ps->at++;
        if (!is_class((char)c))
                return c;
        set_add_class(s, (char)c);
        return -1;
}

/* Behind '['. */
static int parse_set(struct parser *ps)
{
        struct set s = { 0 };
        bool is_inverted = *ps->at == '^', is_first = true;
        ps->at += is_inverted;
        for (; *ps->at && (*ps->at != ']' || is_first) && !ps->error; is_first = false) {
                int low = parse_set_member(ps, &s), high = low;
                if (low < 0)
                        continue;
                if (ps->at[0] == '-' && ps->at[1] && ps->at[1] != ']') {
                        ps->at++;
                        high = parse_set_member(ps, &s);
                }
                if (high < low)
                        return fail(ps, -EINVAL);
                for (int c = low; c <= high; c++)
                        set_add(&s, (uint8_t)c);
        }
        if (*ps->at != ']')
                return fail(ps, -EINVAL);
        ps->at++;
        return emit_set(ps, s, is_inverted);
}

static int emit_byte(struct parser *ps, char c)
{
        uint8_t byte = (uint8_t)(ps->p->is_case_blind ? tolower((unsigned char)c) : (unsigned char)c);
        return emit(ps, (struct step){ .op = OP_BYTE, .arg = byte });
}

/* Behind '\'. A letter or digit without a meaning here has one elsewhere, so it is refused. */
static int parse_escape(struct parser *ps)
{
        struct set s = { 0 };
        char c = *ps->at;
        if (!c || (isalnum((unsigned char)c) && !is_class(c)))
                return fail(ps, -EINVAL);
        ps->at++;
        if (!is_class(c))
                return emit_byte(ps, c);
        set_add_class(&s, c);
        return emit_set(ps, s, false);
}

/* Behind '('. */
static int parse_group(struct parser *ps)
{
        if (ps->at[0] == '?') {
                if (ps->at[1] != ':')
                        return fail(ps, -EINVAL);
                ps->at += 2;
        }
        if (++ps->depth > NESTING_MAX)
                return fail(ps, -E2BIG);
        int r = parse_choice(ps);
        if (r < 0)
                return r;
        ps->depth--;
        if (*ps->at != ')')
                return fail(ps, -EINVAL);
        ps->at++;
        return 0;
}

static int parse_atom(struct parser *ps)
{
        char c = *ps->at++;
        switch (c) {
        case '(':
                return parse_group(ps);
        case '[':
                return parse_set(ps);
        case '\\':
                return parse_escape(ps);
        case '.':
                return emit(ps, (struct step){ .op = OP_ANY });
        case '^':
                return emit(ps, (struct step){ .op = OP_BEGIN });
        case '$':
                return emit(ps, (struct step){ .op = OP_END });
        case '*':
        case '+':
        case '?':
                return fail(ps, -EINVAL);
        default:
                return emit_byte(ps, c);
        }
}

static int make_optional(struct parser *ps, size_t start)
{
        int16_t len = (int16_t)(ps->p->n_steps - start);
        return insert(ps, start, (struct step){ .op = OP_SPLIT, .first = 1, .other = (int16_t)(len + 1) });
}

static int make_star(struct parser *ps, size_t start)
{
        int16_t len = (int16_t)(ps->p->n_steps - start);
        if (insert(ps, start, (struct step){ .op = OP_SPLIT, .first = 1, .other = (int16_t)(len + 2) }) < 0)
                return ps->error;
        return emit(ps, (struct step){ .op = OP_JUMP, .first = (int16_t) - (len + 1) });
}

static int append_copy(struct parser *ps, const struct step *code, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if (emit(ps, code[i]) < 0)
                        return ps->error;
        return 0;
}

/* x{2,4} is written out as xxx?x?, x{2,} as xxx*. max < 0: without end. */
static int repeat(struct parser *ps, size_t start, int min, int max)
{
        struct pattern *p = ps->p;
        size_t len = p->n_steps - start;
        _cleanup_free_ struct step *code = xmemdup(p->steps + start, len * sizeof *code);
        p->n_steps = start;
        for (int i = 0; i < min; i++)
                if (append_copy(ps, code, len) < 0)
                        return ps->error;
        for (int i = min; i < max || (max < 0 && i == min); i++) {
                size_t at = p->n_steps;
                if (append_copy(ps, code, len) < 0 ||
                    (max < 0 ? make_star(ps, at) : make_optional(ps, at)) < 0)
                        return ps->error;
        }
        return 0;
}

static int parse_number(struct parser *ps)
{
        int v = -1;
        for (; isdigit((unsigned char)*ps->at) && v <= REPEAT_MAX; ps->at++)
                v = (v < 0 ? 0 : v * 10) + (*ps->at - '0');
        return v;
}

/* Behind '{'. */
static int parse_braces(struct parser *ps, size_t start)
{
        int min = parse_number(ps), max = min;
        if (*ps->at == ',') {
                ps->at++;
                max = parse_number(ps);
        }
        if (min < 0 || *ps->at != '}' || (max >= 0 && max < min))
                return fail(ps, -EINVAL);
        if (min > REPEAT_MAX || max > REPEAT_MAX)
                return fail(ps, -E2BIG);
        ps->at++;
        return repeat(ps, start, min, max);
}

static int parse_repeat(struct parser *ps)
{
        size_t start = ps->p->n_steps;
        if (parse_atom(ps) < 0)
                return ps->error;
        while (*ps->at && strchr("*+?{", *ps->at) && !ps->error) {
                char c = *ps->at++;
                int16_t len = (int16_t)(ps->p->n_steps - start);
                if (c == '*')
                        make_star(ps, start);
                else if (c == '?')
                        make_optional(ps, start);
                else if (c == '+')
                        emit(ps, (struct step){ .op = OP_SPLIT, .first = (int16_t)-len, .other = 1 });
                else
                        parse_braces(ps, start);
        }
        return ps->error;
}

static int parse_choice(struct parser *ps)
{
        size_t start = ps->p->n_steps;
        while (*ps->at && *ps->at != '|' && *ps->at != ')')
                if (parse_repeat(ps) < 0)
                        return ps->error;
        if (*ps->at != '|')
                return ps->error;
        ps->at++;
        int16_t len = (int16_t)(ps->p->n_steps - start);
        if (insert(ps, start, (struct step){ .op = OP_SPLIT, .first = 1, .other = (int16_t)(len + 2) }) < 0)
                return ps->error;
        size_t jump = ps->p->n_steps;
        if (++ps->depth > NESTING_MAX)
                return fail(ps, -E2BIG);
        if (emit(ps, (struct step){ .op = OP_JUMP }) < 0 || parse_choice(ps) < 0)
                return ps->error;
        ps->depth--;
        ps->p->steps[jump].first = (int16_t)(ps->p->n_steps - jump);
        return 0;
}

static int compile(struct parser *ps, unsigned flags)
{
        if (flags & PATTERN_WHOLE)
                emit(ps, (struct step){ .op = OP_BEGIN });
        if (parse_choice(ps) < 0)
                return ps->error;
        if (*ps->at)
                return -EINVAL;
        if (flags & PATTERN_WHOLE)
                emit(ps, (struct step){ .op = OP_END });
        return emit(ps, (struct step){ .op = OP_MATCH });
}

int pattern_new(const char *text, unsigned flags, struct pattern **ret)
{
        if (strnlen(text, PATTERN_TEXT_MAX + 1) > PATTERN_TEXT_MAX)
                return -E2BIG;
        _cleanup_pattern_ struct pattern *p = xnew(struct pattern);
        p->is_case_blind = flags & PATTERN_CASE_BLIND;
        struct parser ps = { .p = p, .at = text };
        int r = compile(&ps, flags);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

struct pattern *pattern_free(struct pattern *p)
{
        free(p);
        return NULL;
}

/* Where the program can be; `mark` keeps a place from being entered twice in one position of the text. */
struct places {
        uint16_t at[STEPS_MAX];
        size_t n;
};

struct walk {
        const struct pattern *p;
        uint32_t mark[STEPS_MAX];
        uint32_t turn;
        bool is_begin, is_end, is_match;
        uint16_t stack[STEPS_MAX * 2 + 2];
};

/* Follows everything that reads no byte. Each step is expanded once a turn, so the stack cannot overflow. */
static void enter(struct walk *w, struct places *to, size_t where)
{
        size_t n = 0;
        w->stack[n++] = (uint16_t)where;
        while (n) {
                size_t i = w->stack[--n];
                const struct step *s = &w->p->steps[i];
                if (w->mark[i] == w->turn)
                        continue;
                w->mark[i] = w->turn;
                if (s->op == OP_MATCH)
                        w->is_match = true;
                else if (s->op == OP_BYTE || s->op == OP_ANY || s->op == OP_SET)
                        to->at[to->n++] = (uint16_t)i;
                else if ((s->op == OP_BEGIN && w->is_begin) || (s->op == OP_END && w->is_end))
                        w->stack[n++] = (uint16_t)(i + 1);
                else if (s->op == OP_JUMP || s->op == OP_SPLIT)
                        w->stack[n++] = (uint16_t)((int)i + s->first);
                if (s->op == OP_SPLIT)
                        w->stack[n++] = (uint16_t)((int)i + s->other);
        }
}

static bool step_takes(const struct pattern *p, const struct step *s, uint8_t c)
{
        if (s->op == OP_SET)
                return set_has(&p->sets[s->arg], c);
        return s->op == OP_ANY || s->arg == (p->is_case_blind ? (uint8_t)tolower(c) : c);
}

bool pattern_matches(const struct pattern *p, const char *text)
{
        struct walk w = { .p = p, .turn = 1, .is_begin = true, .is_end = !*text };
        struct places both[2] = { 0 }, *now = &both[0], *next = &both[1];
        enter(&w, now, 0);
        for (; *text && !w.is_match; text++) {
                w.turn++;
                w.is_begin = false;
                w.is_end = !text[1];
                next->n = 0;
                for (size_t i = 0; i < now->n; i++)
                        if (step_takes(p, &p->steps[now->at[i]], (uint8_t)*text))
                                enter(&w, next, now->at[i] + 1u);
                /* A match may begin at any byte. */
                enter(&w, next, 0);
                struct places *spare = now;
                now = next;
                next = spare;
        }
        return w.is_match;
}
