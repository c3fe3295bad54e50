/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/net.h"
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/process.h"

#define NFT_OUTPUT_MAX KiB(16)

/* nft says "Error: <what>" and then draws the place with a caret: the first line is for people. */
static void cut_first_line(struct strbuf *text)
{
        char *end = text->data ? strchr(text->data, '\n') : NULL;
        if (end)
                *end = '\0';
}

static int run(const char *path, const struct strbuf *document, struct strbuf *output, int *ret_status)
{
        static const char *const argv[] = { "nft", "-j", "-f", "-", NULL };
        _cleanup_close_ int in = fd_memfd_sealed("nft", document->data, document->len);
        _cleanup_close_ int out = -EBADF, out_child = -EBADF, pidfd = -EBADF;
        if (in < 0)
                return in;
        int r = fd_pipe(&out, &out_child);
        if (r < 0)
                return r;
        struct process_spec spec = { .path = path, .argv = argv, .fds = { in, out_child, out_child }, .n_fds = 3,
                                     .cgroup_fd = -EBADF };
        r = process_spawn(&spec, NULL, &pidfd);
        if (r < 0)
                return r;
        fd_reset(&out_child);
        r = fd_read_to_end(out, output, NFT_OUTPUT_MAX);
        int waited = process_wait(pidfd, ret_status);
        return r < 0 && r != -EFBIG ? r : waited;
}

static int nft(const char *path, const struct strbuf *document, const char *bridge, struct error *err)
{
        _cleanup_strbuf_ struct strbuf output = STRBUF_INIT;
        int status = 0;
        int r = run(path, document, &output, &status);
        if (r < 0)
                return error_set_errno(err, r, "Network \"%s\": running nft", bridge);
        if (status == 0)
                return 0;
        cut_first_line(&output);
        error_set(err, ERR_UNSUPPORTED, "Network \"%s\": nft refused the rules: %s", bridge, strbuf_str(&output));
        return error_hint(err, "the kernel needs nf_tables with nat and masquerade; or set ipv4.nat and ipv6.nat to false");
}

/* The kernel may have no tables for bridges: then without them, which only makes the network's broadcasts dearer. */
static int apply_for_inet(const char *path, const struct net_rules *n, bool *ret_has_bridge, struct error *err)
{
        _cleanup_strbuf_ struct strbuf document = STRBUF_INIT;
        net_rules_build(n, RULES_FOR_INET, &document);
        *ret_has_bridge = false;
        error_done(err);
        return nft(path, &document, n->bridge, err);
}

int net_rules_apply(const struct net_rules *n, bool *ret_has_bridge, struct error *err)
{
        _cleanup_strbuf_ struct strbuf document = STRBUF_INIT;
        _cleanup_free_ char *path = NULL;
        if (process_find_tool("nft", &path) < 0) {
                error_set(err, ERR_UNSUPPORTED, "Network \"%s\": nft is not installed", n->bridge);
                return error_hint(err, "install the package \"nftables\"");
        }
        net_rules_build(n, RULES_FOR_ALL, &document);
        *ret_has_bridge = true;
        effect_point(EFFECT_NET_RULES, EFFECT_BEFORE);
        int r = nft(path, &document, n->bridge, err);
        if (r < 0)
                r = apply_for_inet(path, n, ret_has_bridge, err);
        effect_point(EFFECT_NET_RULES, EFFECT_AFTER);
        return r;
}

int net_rules_remove(const char *table, const char *bridge, bool is_last, struct error *err)
{
        _cleanup_strbuf_ struct strbuf all = STRBUF_INIT, inet = STRBUF_INIT;
        _cleanup_free_ char *path = NULL;
        if (process_find_tool("nft", &path) < 0)
                return 0;
        net_rules_build_removal(table, bridge, is_last, RULES_FOR_ALL, &all);
        int r = nft(path, &all, bridge, err);
        if (r >= 0)
                return 0;
        error_done(err);
        net_rules_build_removal(table, bridge, is_last, RULES_FOR_INET, &inet);
        return nft(path, &inet, bridge, err);
}
