# Reliable change on public data by the package clinicalsignificance (its R files, read as they
# are), growth by nlme, a predictive difference by glm. Run from this folder:
#   Rscript change.R DATA CLINICALSIGNIFICANCE
# Writes change.json.
arguments <- commandArgs(TRUE)
suppressPackageStartupMessages({library(jsonlite); library(nlme); library(dplyr)})
num <- function(x) unname(as.numeric(x))
source(file.path(arguments[2], "R", "package-utils.R"))
source(file.path(arguments[2], "R", "calc_rci.R"))
folder <- file.path(arguments[1], "change_clinicalsignificance")
claus <- read.csv(file.path(folder, "claus_2020.csv"))
jacobson <- read.csv(file.path(folder, "jacobson_1989.csv"))

wide <- function(d, id, time, score, pre, post) {
  a <- d[d[[time]] == pre, ]; b <- d[d[[time]] == post, ]
  m <- merge(data.frame(id = a[[id]], pre = a[[score]]), data.frame(id = b[[id]], post = b[[score]]))
  m <- m[complete.cases(m), ]; m$change <- m$post - m$pre; m[order(m$id), ]
}
forms <- function(w, r, direction) {
  x <- list(data = w); sdp <- sd(w$pre)
  one <- function(f, z = qnorm(.975)) list(index = num(f$data$rci), improved = sum(f$data$improved), deteriorated = sum(f$data$deteriorated))
  z <- qnorm(.975)
  list(n = nrow(w), m_pre = mean(w$pre), sd_pre = sdp, m_post = mean(w$post), sd_post = sd(w$post), r_pre_post = cor(w$pre, w$post),
    jacobson_truax = one(calc_rci.cs_jt(x, sdp, r, direction, z)),
    gulliksen_lord_novick = one(calc_rci.cs_gln(x, mean(w$pre), sdp, r, direction, z)),
    hsu_linn_lord = one(calc_rci.cs_hll(x, mean(w$pre), sdp, mean(w$post), r, direction, z)),
    edwards_nunnally = one(calc_rci.cs_en(x, mean(w$pre), sdp, r, direction, z)),
    nunnally_kotsch = one(calc_rci.cs_nk(x, mean(w$pre), sdp, r, r, direction, z)),
    hageman_arrindell = one(calc_rci.cs_ha(x, mean(w$pre), sdp, mean(w$post), sd(w$post), r, direction, z)))
}
hamd <- wide(claus, "id", "time", "hamd", 1, 4)
das <- wide(jacobson, "subject", "time", "das", "pre", "post")

# Growth: a random level and slope, restricted maximum likelihood.
g <- claus[complete.cases(claus[, c("id", "time", "hamd")]), ]
g$time <- g$time - 2.5 # where the four waves have their middle
l <- lme(hamd ~ time, random = ~ time | id, data = g, method = "REML", control = lmeControl(tolerance = 1e-10, msTol = 1e-12, msMaxIter = 1000, niterEM = 500))
v <- VarCorr(l); blup <- coef(l)

# An anchor made from another scale: better by 4 points or more of the BDI-II.
bdi <- wide(claus, "id", "time", "bdi", 1, 4)
both <- merge(hamd, bdi, by = "id", suffixes = c("", ".b"))
gain <- both$pre - both$post
rating <- ifelse(both$pre.b - both$post.b >= 14, 2, ifelse(both$pre.b - both$post.b >= 6, 1, 0))
fit <- glm((rating >= 1) ~ gain, family = binomial, control = glm.control(epsilon = 1e-12))
p <- mean(rating >= 1)
mic <- (log(p / (1 - p)) - coef(fit)[[1]]) / coef(fit)[[2]]

writeLines(toJSON(list(
  about = list(made_by = "change.R", R = R.version.string, nlme = as.character(packageVersion("nlme")),
    clinicalsignificance = read.dcf(file.path(arguments[2], "DESCRIPTION"))[, "Version"][[1]]),
  hamd = forms(hamd, 0.8, -1), das = forms(das, 0.88, 1),
  growth = list(level = num(fixef(l)[1]), slope = num(fixef(l)[2]), level_se = sqrt(vcov(l)[1, 1]), slope_se = sqrt(vcov(l)[2, 2]),
    level_sd = num(v[1, 2]), slope_sd = num(v[2, 2]), correlation = num(v[2, 3]), error_sd = num(v[3, 2]),
    loglik = num(logLik(l)), ids = as.integer(rownames(blup)), own_slope = num(blup[, 2])),
  anchor = list(ids = both$id, rating = rating, predictive = mic,
    adjusted = mic - (0.09 + 0.103 * cor(gain, as.numeric(rating >= 1))) * sd(gain) * log(p / (1 - p)),
    mean_change = mean(gain[rating == 1]), less_unchanged = mean(gain[rating == 1]) - mean(gain[rating == 0]))
), auto_unbox = TRUE, digits = 12), "change.json")
