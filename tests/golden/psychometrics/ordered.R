# Factor models of ordered answers and of weighted ones by lavaan (and semTools, lavaan.survey), for
# tests/golden/test_ordered.py. Run from the repository as
#   MHSCREEN_SHARED_DATA=/where/the/public/data/is Rscript tests/golden/psychometrics/ordered.R
# Reads simulated.csv (see reference.R) and two_groups.csv, writes ordered.json beside this file.
# On file: R 4.2.2, lavaan 0.6-14, semTools 0.5-6 (packages of Debian 12).
suppressPackageStartupMessages({library(lavaan); library(semTools); library(jsonlite)})
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
data_of <- function(...) read.csv(file.path(Sys.getenv("MHSCREEN_SHARED_DATA"), ...))
num <- function(x) unname(as.numeric(x))
model_of <- function(keys) paste(mapply(function(k, i) paste(k, "=~", paste(i, collapse = "+")), names(keys), keys), collapse = "\n")

FIT <- c("chisq", "df", "chisq.scaled", "pvalue.scaled", "chisq.scaling.factor", "baseline.chisq.scaled",
         "cfi.scaled", "tli.scaled", "rmsea.scaled", "rmsea.ci.lower.scaled", "rmsea.ci.upper.scaled", "srmr", "npar")
fit_of <- function(f) c(as.list(setNames(num(fitMeasures(f, FIT)), FIT)), list(shift = num(lavInspect(f, "test")[[2]]$shift.parameter)))
parameters_of <- function(f) {
  u <- parameterEstimates(f); s <- standardizedSolution(f)
  keep <- u$op %in% c("=~", "~~", "~1", "|", "~*~")
  list(lhs = u$lhs[keep], op = u$op[keep], rhs = u$rhs[keep], group = if (is.null(u$group)) rep(1, sum(keep)) else u$group[keep],
       est = num(u$est[keep]), se = num(u$se[keep]), std = num(s$est.std[keep]))
}
ordered_of <- function(keys, d, ...) {
  f <- cfa(model_of(keys), d, ordered = unlist(keys), estimator = "WLSMV", std.lv = TRUE, ...)
  list(keys = keys, n = nobs(f), fit = fit_of(f), parameters = parameters_of(f),
       moments = length(lavInspect(f, "wls.obs")), variance = num(if (lavInspect(f, "ngroups") == 1) diag(lavInspect(f, "gamma"))))
}
# Wu & Estabrook (2016): thresholds first, then loadings, then the intercepts behind them.
invariance_of <- function(keys, d, group) {
  levels <- list(configural = character(), thresholds = "thresholds", metric = c("thresholds", "loadings"),
                 scalar = c("thresholds", "loadings", "intercepts"))
  fits <- lapply(levels, function(e) {
    code <- measEq.syntax(model_of(keys), data = d, ordered = unlist(keys), parameterization = "delta", ID.fac = "std.lv",
                          ID.cat = "Wu.Estabrook.2016", group = group, group.equal = e)
    cfa(as.character(code), d, ordered = unlist(keys), group = group, estimator = "WLSMV", parameterization = "delta")
  })
  compare <- lapply(2:4, function(i) num(unlist(lavTestLRT(fits[[i - 1]], fits[[i]], method = "satorra.2000")[2, c("Chisq diff", "Df diff", "Pr(>Chisq)")])))
  list(keys = keys, groups = lavInspect(fits[[1]], "group.label"), fits = lapply(fits, fit_of), differences = compare,
       parameters = lapply(fits[c("thresholds", "scalar")], parameters_of))
}
sim <- list(f1 = paste0("q", 1:3), f2 = paste0("q", 4:6), f3 = paste0("q", 7:9))
own <- read.csv(file.path(here, "simulated.csv")); own <- own[complete.cases(own), ]
pair <- read.csv(file.path(here, "two_groups.csv"))
pair <- pair[complete.cases(pair), ]
out <- list(`_about` = list(made_by = "tests/golden/psychometrics/ordered.R", R = R.version.string,
  packages = as.list(sapply(c("lavaan", "semTools", "lavaan.survey", "survey"), function(p) as.character(packageVersion(p))))))
two <- list(low = paste0("q", 1:4), high = paste0("q", 5:8))
dass <- data_of("dass42_openpsychometrics", "dass42.csv")
depression <- list(d = names(dass)[grep("^dass[0-9]+_D$", names(dass))])
dass <- dass[dass$gender %in% c("Female", "Male") & complete.cases(dass[unlist(depression)]), ]
# Yes or no: thresholds, loadings and intercepts are equal together or not at all.
binary <- pair; binary[-1] <- lapply(pair[-1], function(x) as.integer(x > 1))
out$ordered <- list(simulated = ordered_of(sim, own), dass = ordered_of(depression, dass), binary = ordered_of(two, binary))
out$invariance <- list(two_groups = invariance_of(two, pair, "group"), dass = invariance_of(depression, dass, "gender"))
both <- lapply(list(configural = "", scalar = c("thresholds", "loadings")), function(e)
  cfa(model_of(two), binary, ordered = unlist(two), group = "group", group.equal = e, estimator = "WLSMV", std.lv = TRUE))
out$binary <- list(keys = two, fits = lapply(both, fit_of))

# -- weights: a form of weight 2 speaks like two, and the errors know that it is one. ----------------
own$w <- 0.5 + (seq_len(nrow(own)) * 7) %% 5
pair$w <- 0.5 + (seq_len(nrow(pair)) * 7) %% 5
pair$w <- pair$w / ave(pair$w, pair$group)  # lavaan.survey weighs groups by their forms, mhscreen by their weights
suppressPackageStartupMessages({library(survey); library(lavaan.survey)})
weighted <- function(f, d) {
  s <- lavaan.survey(f, svydesign(~1, weights = ~w, data = d))
  list(n = nobs(s), parameters = parameters_of(s), chisq = num(fitMeasures(s, "chisq")), scaling = num(lavInspect(s, "test")[[2]]$scaling.factor))
}
out$weighted <- list(
  ml = weighted(cfa(model_of(sim), own, std.lv = TRUE), own),
  ml_scalar = weighted(cfa(model_of(two), pair, std.lv = TRUE, group = "group", group.equal = c("loadings", "intercepts")), pair),
  even = list(parameters = parameters_of(cfa(model_of(two), pair, std.lv = TRUE, group = "group", group.equal = c("loadings", "intercepts"), se = "robust.sem"))),
  ordered = ordered_of(sim, own, sampling.weights = "w")
)
file <- file.path(here, "ordered.json")
writeLines(toJSON(out, auto_unbox = TRUE, digits = 10, na = "null", null = "null"), file)
