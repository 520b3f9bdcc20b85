# Weighted agreement and option curves by survey and psych, for test_weighted.py. Run from the repository as
#   Rscript tests/golden/psychometrics/weighted.R tests/golden/psychometrics
# Reads ratings.csv and simulated.csv (see reference.R), writes weighted.json beside this file. Debian 12's packages.
suppressPackageStartupMessages({library(survey); library(psych); library(jsonlite)})
here <- commandArgs(TRUE)[1]
num <- function(x) unname(as.numeric(x))
quietly <- function(value) suppressMessages(suppressWarnings(value))

r <- read.csv(file.path(here, "ratings.csv"))
r$w <- 0.5 + (seq_len(nrow(r)) * 7) %% 5
d <- svydesign(~1, weights = ~w, data = r)
v <- as.matrix(svyvar(~first + second + third, d))
# Two raters in four categories, as in reference.R.
two <- as.data.frame(lapply(r[1:2], function(x) pmin(pmax(x %/% 4, 0), 3)))
two$w <- r$w
f <- two; f[1:2] <- lapply(two[1:2], factor, levels = 0:3)
k <- svykappa(~first + second, svydesign(~1, weights = ~w, data = f))
table4 <- xtabs(w ~ first + second, f) / sum(f$w)
linear <- 1 - abs(outer(1:4, 1:4, "-")) / 3
x <- read.csv(file.path(here, "simulated.csv")); x <- x[complete.cases(x), ]
x$w <- 0.5 + (seq_len(nrow(x)) * 7) %% 5
x$rest <- rowSums(x[paste0("q", 2:9)]); x$option <- factor(x$q1)
s <- svydesign(~1, weights = ~w, data = x)
out <- list(
  about = list(R = R.version.string, survey = as.character(packageVersion("survey"))),
  mean = num(coef(svymean(~first + second + third, d))),
  consistency = mean(v[upper.tri(v)]) / mean(diag(v)),
  kappa = list(estimate = num(coef(k)), se = num(SE(k)), quadratic = quietly(cohen.kappa(unclass(table4), n.obs = 60))$weighted.kappa,
               linear = quietly(cohen.kappa(unclass(table4), w = linear, n.obs = 60))$weighted.kappa),
  options = list(rest = num(svyby(~rest, ~option, s, svymean)$rest))
)
write(toJSON(out, auto_unbox = TRUE, digits = 10), file.path(here, "weighted.json"))
