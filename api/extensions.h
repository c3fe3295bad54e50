/* SPDX-License-Identifier: Apache-2.0 */
/* The API extensions of LXD that work here, all of each. Clients ask for them by name before they use a feature. */
#pragma once

extern const char *const api_extensions[]; /* ended by NULL */
