/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/jobs.h"
#include "runtime/privileges.h"
#include "base/fork-server.h"

static const struct worker_job jobs[] = {
        { "start", job_start, "build a container, start its init, stay as its monitor" },
        { "jobs-sweep", job_jobs_sweep, "remove what killed workers left of their memory groups" },
        { "teardown", job_teardown, "kill a container and remove its cgroups, interfaces and run directory" },
        { "volume-create", job_volume_create, "make the directories of a root volume" },
        { "volume-copy", job_volume_copy, "copy a volume that is not in use" },
        { "volume-delete", job_volume_delete, "remove the tree of a volume in the trash" },
        { "layer-mount", job_layer_mount, "mount a squashfs layer" },
        { "layer-unmount", job_layer_unmount, "unmount a squashfs layer" },
        { "exec", job_exec, "run a command in a running container" },
        { "file-get", job_file_get, "read a file, directory or symbolic link of a container" },
        { "file-put", job_file_put, "write a file, directory or symbolic link of a container" },
        { "file-delete", job_file_delete, "remove a file or an empty directory of a container" },
        { "log-get", job_log_get, "read a log of a container" },
        { "log-delete", job_log_delete, "remove a log, or all logs, of a container" },
        { "layer-probe", job_layer_probe, "whether squashfs layers can be mounted" },
        { "layer-begin", job_layer_begin, "make an empty directory to unpack a layer into" },
        { "layer-import", job_layer_import, "make a squashfs file a layer: link, clone or copy it" },
        { "layer-commit", job_layer_commit, "give an unpacked layer its name" },
        { "volume-trash", job_volume_trash, "move a volume or a layer into the pool's trash" },
        { "volume-usage", job_volume_usage, "add up the bytes of a volume" },
        { "pool-create", job_pool_create, "make the directories of a storage pool" },
        { "pool-delete", job_pool_delete, "remove the directories of a storage pool" },
        { "pool-sweep", job_pool_sweep, "move what no object names into a storage pool's trash" },
        { "trash-empty", job_trash_empty, "remove what is in a storage pool's trash" },
        { "bridge-up", job_bridge_up, "make or repair a managed bridge with its rules" },
        { "bridge-down", job_bridge_down, "take a managed bridge away" },
        { "bridge-sweep", job_bridge_sweep, "take away bridges of ours that no network names" },
        { "net-links", job_net_links, "list links and addresses of network namespaces" },
        { "subnet-find", job_subnet_find, "choose networks the host does not use" },
        { "image-begin", job_image_begin, "make the spool directory of an image on its way in" },
        { "image-commit", job_image_commit, "give an image's files their names" },
        { "image-remove", job_image_remove, "remove files of the image store" },
        { "image-sweep", job_image_sweep, "empty the image spool and remove files no image names" },
        { "apparmor-load", job_apparmor_load, "load the AppArmor profiles of containers" },
        { "resources", job_resources, "read what the machine is made of" },
        { "image-send", job_image_send, "an image's files to descriptor 1" },
        {},
};

int main(int argc, char **argv)
{
        fork_server_child(argc, argv, privileges_filters_keep); /* argv[1] is a job now, too */
        return worker_main(argc, argv, jobs);
}
