# Raking, weighted percentiles with their standard errors and a log-linear fit, on the ELFE sample:
# the packages survey and stats. Run from this folder: Rscript norm_samples.R DATA
# Writes norm_samples.json.
suppressPackageStartupMessages({library(jsonlite); library(survey)})
num <- function(x) unname(as.numeric(x))
d <- read.csv(file.path(commandArgs(TRUE)[1], "norms_cnorm", "elfe.csv"))
# Made-up margins and schools, so that there is something to rake and to cluster.
d$sex <- ifelse(d$personID %% 3 == 0, "m", "f")
d$school <- d$personID %% 40
design <- svydesign(ids = ~1, data = d, weights = ~1)
raked <- rake(design, list(~sex, ~group), list(data.frame(sex = c("f", "m"), Freq = c(720, 680)),
  data.frame(group = sort(unique(d$group)), Freq = c(150, 180, 200, 220, 240, 210, 200))),
  control = list(maxit = 500, epsilon = 1e-10))
d$w <- weights(raked)
rank_at <- function(design, s) {
  g <- update(design, g = (raw < s) + 0.5 * (raw == s)); m <- svymean(~g, g); c(num(m), num(SE(m)))
}
alone <- svydesign(ids = ~1, data = d, weights = ~w)
schools <- svydesign(ids = ~school, data = d, weights = ~w)
scores <- c(0, 5, 10, 14, 20, 26, 28)
counts <- tabulate(d$raw[d$group == 3] + 1, 29); x <- 0:28
fit <- glm(counts ~ poly(x, 4), family = poisson, control = glm.control(epsilon = 1e-14, maxit = 100))
writeLines(toJSON(list(
  about = list(made_by = "norm_samples.R", R = R.version.string, survey = as.character(packageVersion("survey"))),
  weights = num(d$w)[seq(1, 1400, 20)], scores = scores,
  percentile = 100 * sapply(scores, function(s) rank_at(alone, s)[1]),
  se = 100 * sapply(scores, function(s) rank_at(alone, s)[2]),
  se_schools = 100 * sapply(scores, function(s) rank_at(schools, s)[2]),
  smoothed = num(fitted(fit)) / sum(counts)
), auto_unbox = TRUE, digits = 12), "norm_samples.json")
