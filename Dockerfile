# The image for people who have docker, podman or buildah and nothing else:
#
#   docker build --tag csi-livenessprobe .
#
# With --build-arg COMMIT="$(git rev-parse HEAD)" the executable's --version names the commit.
#
# What is published is made by `bun run image`, of apko.yaml. This has the same files of ours under the same names, started
# in the same way; a base that brings more than glibc; and neither an SBOM nor a signature.
#
# There is no HEALTHCHECK: the sidecar is asked about its driver, so one would call the sidecar unhealthy for a fault of
# the driver's.

# glibc and no shell, for both architectures. Any image with glibc 2.17 or later will do. To renew the digest:
# crane digest gcr.io/distroless/base-debian12
ARG BASE=gcr.io/distroless/base-debian12@sha256:9dce90e688a57e59ce473ff7bc4c80bc8fe52d2303b4d99b44f297310bbd2210
# Node.js with npm, which fetches Bun at the version that package.json pins. Nothing of it gets into the image.
ARG BUILDER=node:24-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d

# On the builder's own machine, whatever the image is for: Bun compiles for both. Old buildahs do not tell what machine
# that is: for another architecture, those of Debian 12 want --build-arg BUILDPLATFORM=linux/amd64. A directory can stand
# in for this stage: --build-context build=DIRECTORY, with our files below DIRECTORY/image.
FROM --platform=${BUILDPLATFORM} ${BUILDER} AS build
WORKDIR /src
COPY . .
RUN npx --yes "bun@$(node -p 'require("./package.json").devDependencies.bun')" install --frozen-lockfile
ARG TARGETARCH
# The commit that is built, for `--version`: there is no git in here.
ARG COMMIT=unknown
RUN BUILD_COMMIT="${COMMIT}" node_modules/.bin/bun scripts/image/stage.ts --architecture "${TARGETARCH}" --out /image

# No RUN from here on, so that an image for another architecture needs no emulator. The platform is what it would be
# without a word, but for buildah, which keeps the one of the stage before.
FROM --platform=${TARGETPLATFORM} ${BASE}
COPY --from=build /image/ /
# As in apko.yaml, which says what each is for.
ENV BUN_GC_TIMER_DISABLE=1 BUN_JSC_numberOfGCMarkers=1 BUN_JSC_useJIT=0 PATH=/usr/bin SSL_CERT_FILE=
WORKDIR /
USER 0
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/livenessprobe"]
