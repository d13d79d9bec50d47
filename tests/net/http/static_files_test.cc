// SPDX-License-Identifier: Apache-2.0
#include "net/http/static_files.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace vexfs::http {
namespace {

namespace fs = std::filesystem;

struct static_files_test : testing::Test {
  const fs::path folder =
      fs::temp_directory_path() / ("vexfs_static_files_" + std::to_string(::getpid()));

  static_files_test() {
    fs::create_directories(folder / "site" / "assets");
    write("secret.txt", "secret");
    write("site/index.html", "<html>");
    write("site/assets/app.js", "run()");
    write("site/assets/empty.css", "");
    fs::create_symlink(folder / "secret.txt", folder / "site" / "escape.txt");
    fs::create_symlink(folder / "site" / "index.html", folder / "site" / "again.html");
  }
  ~static_files_test() override { fs::remove_all(folder); }

  void write(const char* name, std::string_view content) const {
    std::ofstream(folder / name) << content;
  }
};

TEST_F(static_files_test, files_are_served_with_their_types_and_indexes_for_folders) {
  const auto files = static_files::load((folder / "site").string());
  ASSERT_TRUE(files) << files.error().text;
  const auto get = [&](std::string_view path) {
    exchange call;
    (*files)->answer(call, path);
    EXPECT_EQ(call.answer.extra_headers, "x-frame-options: DENY\r\n");
    return std::to_string(call.answer.status) + " " + std::string(call.answer.content()) + " " +
           std::string(call.answer.content_type);
  };
  EXPECT_EQ(get("index.html"), "200 <html> text/html; charset=utf-8");
  EXPECT_EQ(get(""), "200 <html> text/html; charset=utf-8");
  EXPECT_EQ(get("assets/app.js"), "200 run() text/javascript; charset=utf-8");
  EXPECT_EQ(get("assets/empty.css"), "200  text/css; charset=utf-8");
  EXPECT_EQ(get("again.html"), "200 <html> text/html; charset=utf-8");
  for (const char* path : {"nothing", "assets", "../secret.txt", "escape.txt", "/etc/passwd",
                           "assets/../index.html", "site/index.html"})
    EXPECT_EQ(get(path), "404  application/json") << path;
}

TEST_F(static_files_test, a_folder_that_is_not_there_is_an_error_that_names_it) {
  const auto files = static_files::load((folder / "none").string());
  ASSERT_FALSE(files);
  EXPECT_NE(files.error().text.find("none"), std::string::npos);
}

}  // namespace
}  // namespace vexfs::http
