/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/lease.h"
#include "base/units.h"

#include <ctype.h>
#include <stdio.h>

#define FIELD_MAX 256

/* The next word of a line; false when there is none or it is too long to be one of ours. */
static bool next_word(const char **p, const char *end, char word[static FIELD_MAX])
{
        while (*p < end && **p == ' ')
                ++*p;
        const char *from = *p;
        while (*p < end && **p != ' ')
                ++*p;
        size_t n = (size_t)(*p - from);
        if (n == 0 || n >= FIELD_MAX)
                return false;
        memcpy(word, from, n);
        word[n] = '\0';
        return true;
}

static bool is_hostname(const char *text)
{
        for (; *text; text++)
                if (!isalnum((unsigned char)*text) && !strchr("-_.", *text))
                        return false;
        return true;
}

/* <expiry> <hwaddr or, with DHCPv6, an id> <address> <hostname or *> <client id or *> */
static bool parse_line(const char *p, const char *end, struct lease *ret)
{
        char word[FIELD_MAX];
        uint8_t hwaddr[HWADDR_SIZE];
        uint64_t expires;
        *ret = (struct lease){ 0 };
        if (!next_word(&p, end, word) || units_parse_uint(word, INT64_MAX, &expires) < 0)
                return false;
        ret->expires = (int64_t)expires;
        if (!next_word(&p, end, word))
                return false;
        if (hwaddr_parse(word, hwaddr) == 0)
                hwaddr_format(hwaddr, ret->hwaddr);
        if (!next_word(&p, end, word) || inet_parse_address(word, 0, &ret->address) < 0)
                return false;
        if (!next_word(&p, end, word))
                return false;
        if (is_hostname(word))
                snprintf(ret->hostname, sizeof ret->hostname, "%s", word);
        return true;
}

bool lease_next(const char **text, struct lease *ret)
{
        while (*text && **text) {
                const char *line = *text, *end = line + strcspn(line, "\n");
                *text = *end ? end + 1 : end;
                if (parse_line(line, end, ret))
                        return true;
        }
        *text = NULL;
        return false;
}
