// Nothing is asked of another server: no validator, and requests go where the page came from.
SwaggerUIBundle({ url: 'openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: null, tryItOutEnabled: false })
