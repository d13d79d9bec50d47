# Every outside package in one place. Debian 12 names are in tools/packages.txt.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(liburing REQUIRED IMPORTED_TARGET liburing)
find_package(roaring REQUIRED)  # roaring::roaring
pkg_check_modules(brotli REQUIRED IMPORTED_TARGET libbrotlienc libbrotlidec)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(icu REQUIRED IMPORTED_TARGET icu-uc)
find_library(VEXFS_STEMMER_LIBRARY stemmer REQUIRED)  # Snowball; it ships no package file
