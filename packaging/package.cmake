# Debian packages: cmake --preset package && cmake --build --preset package && (cd build-package && cpack)
# "lightvisor" is the daemon with its units, "lightvisor-client" the command line for any machine.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The lightvisor developers <lightvisor@example.org>")
set(CPACK_COMPONENTS_ALL daemon client)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# What the programs start or load by name is in no list of libraries.
set(CPACK_DEBIAN_DAEMON_PACKAGE_NAME lightvisor)
set(CPACK_DEBIAN_DAEMON_PACKAGE_DEPENDS
    "lightvisor-client (= ${PROJECT_VERSION}), libwebsockets-evlib-uv, dnsmasq-base, nftables, squashfs-tools, iproute2")
set(CPACK_DEBIAN_DAEMON_PACKAGE_RECOMMENDS "apparmor, lxcfs, mmdebstrap, uidmap, xz-utils, zstd")
set(CPACK_DEBIAN_DAEMON_PACKAGE_CONTROL_EXTRA
    ${CMAKE_CURRENT_LIST_DIR}/debian/postinst ${CMAKE_CURRENT_LIST_DIR}/debian/prerm
    ${CMAKE_CURRENT_LIST_DIR}/debian/postrm ${CMAKE_CURRENT_LIST_DIR}/debian/conffiles)
set(CPACK_COMPONENT_DAEMON_DESCRIPTION
    "manager of system containers\nRuns whole Linux systems as unprivileged containers, with profiles, storage\npools, networks and limits, behind the REST API of LXD 5.0. Containers\noutlive the daemon and its upgrades.")

set(CPACK_DEBIAN_CLIENT_PACKAGE_NAME lightvisor-client)
set(CPACK_DEBIAN_CLIENT_PACKAGE_DEPENDS sensible-utils)
set(CPACK_COMPONENT_CLIENT_DESCRIPTION
    "manager of system containers (command line)\nThe client lightc.")
include(CPack)
