# Item response models by ltm itself: run from the repository as
#   Rscript tests/golden/psychometrics/ltm.R tests/golden/psychometrics [folder with lsat.csv, science.csv]
# Needs ltm (1.2-0), its msm and polycor, and jsonlite. Reads rasch.csv (simulated, see rasch.R) and writes
# ltm.json beside this script. The second folder holds the public data sets of ltm; they are not kept here.
# ltm integrates over N(0, 1) by Gauss and Hermite's rule: 41 points, that it is not the rule that is compared.
suppressPackageStartupMessages({ library(ltm); library(jsonlite) })
args <- commandArgs(trailingOnly = TRUE)
here <- args[1]
num <- function(x) unname(as.numeric(x))
quietly <- function(x) suppressWarnings(suppressMessages(x))

# Slopes, thresholds (b), their standard errors where ltm has them, and the likelihood.
of_two <- function(fit, forms) {
  s <- summary(fit)$coefficients
  b <- grepl("^Dffclt", rownames(s)); a <- grepl("^Dscrmn", rownames(s))
  e <- factor.scores(fit, resp.patterns = forms, method = "EAP")$score.dat
  list(log_likelihood = num(logLik(fit)), a = num(s[a, 1]), a_se = num(s[a, 2]), b = num(s[b, 1]), b_se = num(s[b, 2]),
       eap = num(e$z1), eap_se = num(e$se.z1))
}
of_many <- function(fit) {
  p <- coef(fit); p <- if (is.list(p)) p else lapply(seq_len(nrow(p)), function(i) p[i, ])
  list(log_likelihood = num(logLik(fit)), a = sapply(p, function(x) num(x[length(x)])),
       b = lapply(p, function(x) I(num(x[-length(x)]))))
}
own <- read.csv(file.path(here, "rasch.csv"))
two <- own[grepl("^two", names(own))]; four <- own[grepl("^four", names(own))]
first <- as.matrix(unique(two)[1:20, ])
graded <- function(d, ...) quietly(grm(as.data.frame(lapply(d, factor)), ..., control = list(GHk = 41, iter.qN = 500)))
partial <- function(d, ...) quietly(gpcm(as.data.frame(lapply(d, factor)), ..., control = list(GHk = 41, iter.qN = 500, optimizer = "nlminb")))
out <- list(
  about = list(R = R.version.string, ltm = as.character(packageVersion("ltm"))),
  rasch = of_two(quietly(rasch(two, control = list(GHk = 41))), first),
  two = of_two(quietly(ltm(two ~ z1, control = list(GHk = 41, iter.em = 200))), first),
  patterns = unname(lapply(1:20, function(i) num(first[i, ]))),
  graded = of_many(graded(four)), graded_equal = of_many(graded(four, constrained = TRUE)),
  partial = of_many(partial(four)), partial_equal = of_many(partial(four, constraint = "1PL"))
)
if (length(args) > 1) {
  lsat <- read.csv(file.path(args[2], "lsat.csv"))
  some <- as.matrix(unique(lsat)[1:10, ])
  science <- read.csv(file.path(args[2], "science.csv"))
  science <- science[c("Comfort", "Work", "Future", "Benefit")]
  out$lsat <- of_two(quietly(ltm(lsat ~ z1, control = list(GHk = 41, iter.em = 200))), some)
  out$lsat_patterns <- unname(lapply(1:10, function(i) num(some[i, ])))
  out$science <- of_many(graded(science))
}
write(toJSON(out, auto_unbox = TRUE, digits = 10), file.path(here, "ltm.json"))
