#include "walrus/testing/sim_image.h"

#include <gtest/gtest.h>

#include <string>

#include "walrus/base/random.h"

namespace walrus::testing {
namespace {

std::string contents(const SimImage& image) {
    std::string text(image.size(), '?');
    EXPECT_EQ(image.read({reinterpret_cast<std::byte*>(text.data()), text.size()}, 0), text.size());
    return text;
}

TEST(SimImage, CopyKeepsItsBytesWhenTheOriginalIsWritten) {
    SimImage original;
    original.write(as_bytes("aaa"), 0);
    const SimImage copy = original;
    original.write(as_bytes("b"), 1);
    EXPECT_EQ(contents(copy), "aaa");
    EXPECT_EQ(contents(original), "aba");
}

TEST(SimImage, OriginalKeepsItsBytesWhenTheCopyIsWritten) {
    SimImage original;
    original.write(as_bytes("aaa"), 0);
    SimImage copy;
    copy = original;
    copy.write(as_bytes("b"), 1);
    copy.resize(2);
    EXPECT_EQ(contents(original), "aaa");
    EXPECT_EQ(contents(copy), "ab");
}

TEST(SimImage, AssigningAnImageToItselfKeepsIt) {
    SimImage image;
    image.write(as_bytes("aaa"), 0);
    const SimImage& same = image;
    image = same;
    EXPECT_EQ(contents(image), "aaa");
}

// Random writes, resizes and copies against plain strings.
TEST(SimImage, BehavesLikeAString) {
    SeededRandom random(1);
    SimImage images[3];
    std::string models[3];
    for (int step = 0; step < 2000; ++step) {
        const std::size_t i = random.below(3);
        const std::uint64_t position = random.below(20'000);
        switch (random.below(4)) {
            case 0:
                images[i].resize(position);
                models[i].resize(position);
                break;
            case 1: {
                const std::size_t from = random.below(3);
                images[i] = images[from];
                models[i] = std::string(models[from]);
                break;
            }
            default: {
                const std::string data(random.below(9000), static_cast<char>('a' + step % 26));
                images[i].write(as_bytes(data), position);
                if (data.empty()) break;
                if (models[i].size() < position + data.size()) {
                    models[i].resize(position + data.size());
                }
                models[i].replace(position, data.size(), data);
            }
        }
        for (std::size_t k = 0; k < 3; ++k) ASSERT_EQ(contents(images[k]), models[k]) << step;
    }
}

}  // namespace
}  // namespace walrus::testing
