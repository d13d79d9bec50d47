// SPDX-License-Identifier: Apache-2.0
#include "core/io/system_failure.h"

#include <cerrno>
#include <string>
#include <system_error>

namespace vexfs::io {
namespace {

struct meaning {
  errc code;
  const char* advice;
};

meaning meaning_of(int code) {
  switch (code) {
    case ENOSPC:
      return {errc::insufficient_storage, ""};
    case EDQUOT:
      return {errc::insufficient_storage, ": raise the quota of the storage directory's owner"};
    case ENOENT:
    case ENOTDIR:
      return {errc::not_found, ""};
    case EEXIST:
    case ENOTEMPTY:
      return {errc::already_exists, ""};
    case EROFS:
      return {errc::locked, ": mount the storage directory writable"};
    case EACCES:
    case EPERM:
      return {errc::service, ": give this process's user the right to read and write it"};
    case EMFILE:
      return {errc::service, ": raise 'ulimit -n'"};
    case ENFILE:
      return {errc::service, ": raise 'sysctl fs.file-max'"};
    case EFBIG:
      return {errc::service, ": raise 'ulimit -f', or use a file system with larger files"};
    case EIO:
      return {errc::service, ": the medium failed; look into the kernel's log"};
    case EISDIR:
    case EXDEV:
    case ENAMETOOLONG:
    case ELOOP:
    case ENOMEM:
    case EBUSY:
    case ETXTBSY:
      return {errc::service, ""};
    case EBADF:
    case EFAULT:
    case EINVAL:
    case ESPIPE:
    case EOVERFLOW:
      return {errc::service, " (a mistake of this program)"};
    default:
      return {errc::service, " (unexpected)"};
  }
}

}  // namespace

std::unexpected<error> system_failure(std::string_view what, std::string_view path, int code) {
  const meaning found = meaning_of(code);
  std::string text(what);
  text += " '";
  text += path;
  text += "': ";
  text += std::generic_category().message(code);
  text += found.advice;
  return fail(found.code, std::move(text));
}

}  // namespace vexfs::io
