// HL7's validator, asked offline: what it finds in each resource by our profiles.
//
//   arguments   folders of definitions (JSON)
//   a line in   <profile URL, or -> <the resource: JSON in base64>
//   a line out  JSON: [[severity, where, what], ...], worst first as the validator has them

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
import org.hl7.fhir.common.hapi.validation.support.*;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;

public class Validator {
    public static void main(String[] folders) throws Exception {
        FhirValidator validator = validator(folders);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII), 1 << 16);
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        for (String line; (line = in.readLine()) != null; out.flush()) {
            String[] words = line.split(" ");
            ValidationOptions options = new ValidationOptions();
            if (!words[0].equals("-")) options.addProfile(words[0]);
            String resource = new String(Base64.getDecoder().decode(words[1]), StandardCharsets.UTF_8);
            out.println(validator.validateWithResult(resource, options).getMessages().stream().map(Validator::told)
                .collect(Collectors.joining(",", "[", "]")));
        }
    }

    static FhirValidator validator(String[] folders) throws IOException {
        FhirContext context = FhirContext.forR4();
        PrePopulatedValidationSupport ours = new PrePopulatedValidationSupport(context);
        for (String folder : folders)
            try (DirectoryStream<Path> files = Files.newDirectoryStream(Paths.get(folder), "{StructureDefinition,ValueSet,CodeSystem}-*.json")) {
                for (Path file : files) ours.addResource((IBaseResource) context.newJsonParser().parseResource(Files.readString(file)));
            }
        UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(context);
        unknown.setNonExistentCodeSystemSeverity(ca.uhn.fhir.context.support.IValidationSupport.IssueSeverity.WARNING);
        ValidationSupportChain chain = new ValidationSupportChain(
            ours, new DefaultProfileValidationSupport(context), new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context), new SnapshotGeneratingValidationSupport(context), unknown);
        FhirInstanceValidator module = new FhirInstanceValidator(chain);
        module.setErrorForUnknownProfiles(true);
        module.setNoExtensibleWarnings(false);
        return context.newValidator().registerValidatorModule(module);
    }

    static String told(SingleValidationMessage found) {
        return Stream.of(String.valueOf(found.getSeverity()).toLowerCase(Locale.ROOT), found.getLocationString(), found.getMessage())
            .map(Validator::json).collect(Collectors.joining(",", "[", "]"));
    }

    static String json(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char letter : String.valueOf(text).toCharArray())
            out.append(letter < ' ' || letter == '"' || letter == '\\' ? String.format("\\u%04x", (int) letter) : String.valueOf(letter));
        return out.append("\"").toString();
    }
}
