# Rasch and partial credit models by R: run from the repository as
#   Rscript tests/golden/psychometrics/rasch.R tests/golden/psychometrics [folder with lsat.csv]
# Needs eRm (1.0-2) and jsonlite. Writes rasch.csv (simulated, fixed seed) and rasch.json beside this script.
# The second folder holds the public data sets of the R package ltm; they are not kept here.
# eRm conditions on the sum score: no distribution of the trait, and no slope.
suppressPackageStartupMessages({ library(jsonlite); library(eRm) })
args <- commandArgs(trailingOnly = TRUE)
here <- args[1]

# Six items with two options and four with four; slope 1, the trait N(0.3, 1.2²); thresholds in logits.
set.seed(20240607)
steps <- c(as.list(c(-1.5, -0.8, -0.1, 0.4, 1.0, 1.7)),
           list(c(-1.2, 0.1, 1.3), c(-0.7, -0.9, 1.0), c(-0.2, 0.8, 1.5), c(-1.8, -0.4, 0.6)))
names(steps) <- c(paste0("two", 1:6), paste0("four", 1:4))
theta <- rnorm(2000, 0.3, 1.2)
forms <- as.data.frame(lapply(steps, function(b) {
  e <- exp(cbind(0, outer(theta, b, "-") %*% upper.tri(diag(length(b)), diag = TRUE)))
  rowSums(runif(length(theta)) > t(apply(e / rowSums(e), 1, cumsum))[, seq_along(b), drop = FALSE]) }))
write.csv(forms, file.path(here, "rasch.csv"), row.names = FALSE, quote = FALSE)

# Difficulties with the mean 0, and their standard errors (eRm has easiness parameters).
rasch <- function(d) {
  f <- RM(d, sum0 = TRUE)
  list(difficulty = unname(-f$betapar), se = unname(f$se.beta), log_likelihood = f$loglik)
}
# Thresholds of all items with the mean 0: differences of the cumulative parameters.
partial <- function(d) {
  f <- PCM(d, sum0 = TRUE); most <- sapply(d, max)
  cumulative <- split(unname(-f$betapar), rep(seq_along(most), most))
  b <- lapply(cumulative, function(x) diff(c(0, x)))
  middle <- mean(unlist(b))
  list(threshold = setNames(lapply(b, function(x) I(x - middle)), names(d)))
}
out <- list(about = list(R = R.version.string, eRm = as.character(packageVersion("eRm"))),
            rasch = rasch(forms[1:6]), partial_credit = partial(forms))
if (length(args) > 1) {
  lsat <- read.csv(file.path(args[2], "lsat.csv"))
  out$lsat <- rasch(lsat)
}
# What ltm prints for summary(rasch(LSAT)); Rizopoulos (2006), J. Stat. Softw. 17(5), gives the same but
# the standard errors. Typed in here, since ltm was not at hand.
out$ltm <- list(log_likelihood = -2466.938, aic = 4945.875, bic = 4975.322,
                difficulty = c(-3.6153, -1.3224, -0.3176, -1.7301, -2.7802), difficulty_se = c(0.3266, 0.1422, 0.0977, 0.1691, 0.2510),
                slope = 0.7551, slope_se = 0.0694)
write(toJSON(out, auto_unbox = TRUE, digits = 10), file.path(here, "rasch.json"))
