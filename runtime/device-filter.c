/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANY UINT32_MAX

struct rule {
        char type; /* 'b' or 'c' */
        uint32_t major, minor;
        bool is_mknod_only;
};

static const struct rule standard[] = {
        { 'c', ANY, ANY, true }, { 'b', ANY, ANY, true }, /* a node that cannot be opened does no harm */
        { 'c', 1, 3 },           { 'c', 1, 5 },           { 'c', 1, 7 },     { 'c', 1, 8 },
        { 'c', 1, 9 },           { 'c', 5, 0 },           { 'c', 5, 1 },     { 'c', 5, 2 },
        { 'c', 10, 200 },        { 'c', 10, 229 },        { 'c', 136, ANY },
};

static void number_text(char *to, size_t size, uint32_t number)
{
        if (number == ANY)
                snprintf(to, size, "*");
        else
                snprintf(to, size, "%u", number);
}

static int allow_v1(int root_fd, const char *path, const struct rule *rule)
{
        char major[16], minor[16], line[64];
        number_text(major, sizeof major, rule->major);
        number_text(minor, sizeof minor, rule->minor);
        snprintf(line, sizeof line, "%c %s:%s %s", rule->type, major, minor,
                 rule->is_mknod_only ? "m" : "rwm");
        return path_write_value(root_fd, path, line);
}

/* -ENOENT: not the devices hierarchy. A group that has one below takes no rules, so what an earlier start left goes. */
static int apply_v1(int root_fd, const char *cgroup, const struct rule *rules, size_t n)
{
        _cleanup_free_ char *deny = xasprintf("%s/devices.deny", cgroup);
        _cleanup_free_ char *allow = xasprintf("%s/devices.allow", cgroup);
        if (faccessat(root_fd, "devices.list", F_OK, 0) < 0)
                return -ENOENT;
        int r = cgroups_make_anew(root_fd, cgroup);
        if (r == 0)
                r = path_write_value(root_fd, deny, "a");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = allow_v1(root_fd, allow, &rules[i]);
        return r;
}

/* One rule is at most seven instructions; a rule that does not match jumps to the next. */
#define RULE_INSNS 7

static struct bpf_insn insn(uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
        return (struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm };
}

/* r2 type, r3 access, r4 major, r5 minor; r6 is scratch. */
static size_t emit_rule(struct bpf_insn *p, const struct rule *rule)
{
        size_t n = 0;
        int type = rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
        size_t length = 3 + (rule->major != ANY) + (rule->minor != ANY) + (rule->is_mknod_only ? 1 : 0);
#define NEXT(at) ((int16_t)(length - (at)-1))
        p[n] = insn(BPF_JMP | BPF_JNE | BPF_K, 2, 0, NEXT(n), type), n++;
        if (rule->is_mknod_only)
                p[n] = insn(BPF_JMP | BPF_JNE | BPF_K, 3, 0, NEXT(n), BPF_DEVCG_ACC_MKNOD), n++;
        if (rule->major != ANY)
                p[n] = insn(BPF_JMP | BPF_JNE | BPF_K, 4, 0, NEXT(n), (int32_t)rule->major), n++;
        if (rule->minor != ANY)
                p[n] = insn(BPF_JMP | BPF_JNE | BPF_K, 5, 0, NEXT(n), (int32_t)rule->minor), n++;
        p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1);
        p[n++] = insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
        return n;
#undef NEXT
}

static size_t emit_program(struct bpf_insn *p, const struct rule *rules, size_t n_rules)
{
        size_t n = 0;
        p[n++] = insn(BPF_LDX | BPF_MEM | BPF_W, 2, 1, 0, 0); /* access << 16 | type */
        p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_X, 3, 2, 0, 0);
        p[n++] = insn(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff);
        p[n++] = insn(BPF_ALU64 | BPF_RSH | BPF_K, 3, 0, 0, 16);
        p[n++] = insn(BPF_LDX | BPF_MEM | BPF_W, 4, 1, 4, 0);
        p[n++] = insn(BPF_LDX | BPF_MEM | BPF_W, 5, 1, 8, 0);
        for (size_t i = 0; i < n_rules; i++)
                n += emit_rule(p + n, &rules[i]);
        p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
        p[n++] = insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
        return n;
}

static int load_program(const struct rule *rules, size_t n_rules)
{
        _cleanup_free_ struct bpf_insn *program = xnew_array(struct bpf_insn, n_rules * RULE_INSNS + 8);
        union bpf_attr attr = { 0 };
        attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
        attr.insn_cnt = (uint32_t)emit_program(program, rules, n_rules);
        attr.insns = (uint64_t)(uintptr_t)program;
        attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
        int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
        return fd < 0 ? -errno : fd;
}

static int apply_v2(const struct cgroups *c, const char *cgroup, const struct rule *rules, size_t n)
{
        _cleanup_close_ int group = openat(c->v2_fd, cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int program = group < 0 ? -errno : load_program(rules, n);
        if (program < 0)
                return program;
        union bpf_attr attr = { 0 };
        attr.target_fd = (uint32_t)group;
        attr.attach_bpf_fd = (uint32_t)program;
        attr.attach_type = BPF_CGROUP_DEVICE;
        attr.attach_flags =
                BPF_F_ALLOW_MULTI; /* a nested manager may add its own, which can only narrow ours */
        return syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof attr) < 0 ? -errno : 0;
}

int cgroups_allow_devices(const struct cgroups *c, const char *cgroup, const struct spec_device *devices,
                          size_t n, struct error *err)
{
        size_t n_rules = ARRAY_SIZE(standard);
        _cleanup_free_ struct rule *rules = xnew_array(struct rule, n_rules + n);
        memcpy(rules, standard, sizeof standard);
        for (size_t i = 0; i < n; i++)
                if (devices[i].has_number)
                        rules[n_rules++] = (struct rule){ devices[i].is_block ? 'b' : 'c', devices[i].major,
                                                          devices[i].minor, false };
        int r = -ENOENT;
        for (size_t i = 0; r == -ENOENT && i < c->n_v1; i++)
                r = apply_v1(c->v1_fds[i], cgroup, rules, n_rules);
        if (r == -ENOENT)
                r = apply_v2(c, cgroup, rules, n_rules);
        return r < 0 ? error_set_errno(err, r, "Restricting device access of the cgroup \"%s\"", cgroup) : 0;
}
